import subprocess
import sys

import pytest

from pix2seq_keras.data.augmentation_options import Augmentation
from pix2seq_keras.errors import InputError


def test_the_defaults_are_the_published_fine_tuning():
    default = Augmentation()

    assert (default.min_scale, default.max_scale, default.flip, default.color) == (0.3, 2.0, 0.5, 0.0)
    assert (default.vertical_flip, default.rotate, default.transpose, default.erase, default.mosaic) == (0,) * 5


@pytest.mark.parametrize(
    "options",
    [
        {"min_scale": 0},
        {"min_scale": 2.5},
        {"min_scale": 2.0, "max_scale": 1.0},
        {"flip": 1.5},
        {"vertical_flip": -0.1},
        {"rotate": 2},
        {"transpose": float("nan")},
        {"erase": -1},
        {"erase_count": 0},
        {"erase_max_area": 0.01},
        {"erase_min_visible": 1.1},
        {"mosaic": 1.01},
        {"mosaic_min_visible": -0.5},
        {"color": -1},
        {"color": float("nan")},
    ],
)
def test_impossible_augmentations_are_refused(options):
    (name, value), *_ = options.items()
    with pytest.raises(InputError, match=rf"`{name}` .*Received: .*{name}={value}"):
        Augmentation(**options)


def test_importing_the_options_does_not_import_tensorflow():
    found = "{'tensorflow', 'numpy'} & set(sys.modules)"
    program = f"import sys, pix2seq_keras.data.augmentation_options; sys.exit(bool({found}))"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

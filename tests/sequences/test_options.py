"""The options of a training sequence."""

import subprocess
import sys

import pytest

from pix2seq_keras import InputError
from pix2seq_keras.sequences import SequenceOptions


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_objects": 0}, "`max_objects` must be at least 1.*max_objects=0"),
        ({"order": "size"}, "`order` must be one of random, area.*order='size'"),
        ({"input_classes": "fake"}, "`input_classes` must be one of rand_n_fake_cls.*input_classes='fake'"),
        ({"duplicate_share": 1.5}, r"`duplicate_share` must be in \[0, 1\].*duplicate_share=1.5"),
        ({"jitter": -0.1}, "`jitter` must be at least 0.*jitter=-0.1"),
        ({"noise_weight": -1.0}, "`noise_weight` must be at least 0.*noise_weight=-1.0"),
        ({"end_weight": -1.0}, "`end_weight` must be at least 0.*end_weight=-1.0"),
        ({"padding_weight": -1.0}, "`padding_weight` must be at least 0.*padding_weight=-1.0"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        SequenceOptions(**options)


def test_the_options_are_imported_without_tensorflow():
    program = "import sys, pix2seq_keras.sequences.options; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

"""HEIC is read with pillow-heif; without it, the error says to install it."""

import io
import sys

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras.data.images import heif
from pix2seq_keras.data.images.read_image import ImageError, inspect_image, read_image

HEADER = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


@pytest.fixture(autouse=True)
def not_registered():
    heif._is_registered.cache_clear()
    yield
    heif._is_registered.cache_clear()


def test_without_pillow_heif_the_error_says_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "a.heic").write_bytes(HEADER)

    for image in (tmp_path / "a.heic", str(tmp_path / "a.heic"), HEADER):
        with pytest.raises(ImageError, match=r"is HEIC.*pip install pillow-heif"):
            inspect_image(image)
        with pytest.raises(ImageError, match=r"is HEIC.*pip install pillow-heif"):
            read_image(image)


def test_other_files_are_no_heic(tmp_path):
    with pytest.raises(ImageError, match=r"not an image in one of the formats"):
        read_image(b"\0\0\0\x18ftypmp42\0\0\0\0")


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_heic_image_is_read_upright(tmp_path, orientation):
    pillow_heif = pytest.importorskip("pillow_heif", reason="the extra [heic] is not installed")
    pillow_heif.register_heif_opener()
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:, :48] = (250, 30, 30)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / "a.heic", quality=100, exif=exif.tobytes())
    upright = pixels if orientation == 1 else np.rot90(pixels, -1)

    found = read_image(tmp_path / "a.heic")

    info = inspect_image(tmp_path / "a.heic")
    assert (info.height, info.width) == upright.shape[:2] == found.shape[:2]
    assert np.abs(found.astype(int) - upright).mean() < 8
    np.testing.assert_array_equal(read_image(io.BytesIO((tmp_path / "a.heic").read_bytes())), found)
    with pytest.raises(ImageError, match=r"is damaged"):
        read_image((tmp_path / "a.heic").read_bytes()[:-40])

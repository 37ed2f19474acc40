import io

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras.data.images.exif import upright_boxes
from pix2seq_keras.data.images.read_image import read_image
from pix2seq_keras.errors import InputError


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_boxes_match_the_upright_pixels(orientation):
    stored = np.zeros((40, 60, 3), np.uint8)
    stored[4:14, 33:57] = 255  # ymin, xmin, ymax, xmax = 4, 33, 14, 57
    box = np.array([[4 / 40, 33 / 60, 14 / 40, 57 / 60]], np.float32)
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    Image.fromarray(stored).save(file, "PNG", exif=exif)

    image = read_image(file.getvalue())
    boxes = upright_boxes(box, orientation)

    rows, columns = np.nonzero(image[..., 0])
    found = [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]
    height, width = image.shape[:2]
    np.testing.assert_allclose(boxes[0] * [height, width, height, width], found, atol=1e-4)
    assert boxes.dtype == np.float32
    assert upright_boxes(np.zeros((0, 4), np.float32), orientation).shape == (0, 4)


@pytest.mark.parametrize("orientation", [0, 9, None])
def test_unknown_orientations_are_refused(orientation):
    with pytest.raises(InputError, match="must be 1…8"):
        upright_boxes(np.zeros((1, 4)), orientation)

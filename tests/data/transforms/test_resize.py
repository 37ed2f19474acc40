import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras.boxes import boxes_to_canvas
from pix2seq_keras.data.transforms import fit_to_canvas


@pytest.fixture(scope="module")
def golden(shared_dir):
    path = shared_dir / "reference" / "preprocessing" / "golden.npz"
    if not path.is_file():
        pytest.skip(f"no reference numbers at {path}")
    with np.load(path) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("n", [0, 1])
def test_the_published_preprocessing_is_reproduced(golden, bccd_dir, n):
    name = str(golden[f"image{n}_name"])
    path = next(bccd_dir.glob(f"*/{name}"))
    canvas = tuple(golden[f"image{n}_target_size"].tolist())
    image = tf.io.decode_jpeg(tf.io.read_file(str(path)))

    image, unpadded_size = fit_to_canvas(image, canvas)
    boxes = boxes_to_canvas(golden[f"image{n}_bbox_in"], unpadded_size, canvas)

    np.testing.assert_array_equal(unpadded_size, golden[f"image{n}_unpadded_size"])
    np.testing.assert_allclose(image, golden[f"image{n}_out"], atol=1e-6)
    np.testing.assert_allclose(boxes, golden[f"image{n}_bbox_out"], atol=1e-7)


@pytest.mark.parametrize("antialias", [True, False])
def test_pixels_and_boxes_stay_aligned(rectangles, antialias):
    canvas = (40, 72)

    def fit(image, boxes, seed):
        image, unpadded_size = fit_to_canvas(image, canvas, antialias=antialias)
        return image, boxes_to_canvas(boxes, unpadded_size, canvas)

    fit = rectangles.graph(fit)

    compared = 0
    for case in range(150):
        image, boxes = fit(*rectangles.draw(case), (0, 0))
        assert image.shape == (40, 72, 3)
        compared += rectangles.check_alignment(image.numpy(), boxes)

    assert compared > 110


@pytest.mark.parametrize(
    ("size", "canvas", "expected"),
    [
        ((480, 640), (192, 192), (144, 192)),
        ((480, 640), (160, 256), (160, 213)),
        ((3, 8), (12, 20), (8, 20)),  # 7.5 is rounded half to even,
        ((13, 100), (50, 50), (6, 50)),  # and so is 6.5
        ((3, 7), (12, 20), (9, 20)),  # 8.57 is rounded, not truncated
        ((10, 10), (64, 64), (64, 64)),
        ((1, 500), (16, 16), (1, 16)),
    ],
)
def test_sizes_are_rounded(size, canvas, expected):
    image, unpadded_size = fit_to_canvas(tf.ones((*size, 3)), canvas)

    np.testing.assert_array_equal(unpadded_size, expected)
    np.testing.assert_allclose(image[: expected[0], : expected[1]], 1.0, rtol=1e-6)
    np.testing.assert_array_equal(image[expected[0] :], np.float32(0.3))
    np.testing.assert_array_equal(image[:, expected[1] :], np.float32(0.3))


def test_bytes_and_floats_give_the_same_image():
    values = np.random.default_rng(0).integers(0, 256, (30, 20, 3), np.uint8)

    from_bytes, _ = fit_to_canvas(values, (16, 16))
    from_floats, _ = fit_to_canvas(values / np.float32(255), (16, 16))

    np.testing.assert_allclose(from_bytes, from_floats, atol=1e-6)
    assert from_bytes.dtype == tf.float32
    assert from_bytes.numpy().min() >= 0 and from_bytes.numpy().max() <= 1

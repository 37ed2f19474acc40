"""Similar images have similar fingerprints, different images have not."""

import io

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras.reports.dataset.fingerprints import compute_fingerprint


def landscape(seed, size=(96, 128)):
    """A smooth image, like a photograph at low resolution: uint8 (H, W, 3)."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize(size[::-1], Image.Resampling.BICUBIC))


def distances(one, other):
    one, other = compute_fingerprint(one), compute_fingerprint(other)
    row_distance = (one.row_hash ^ other.row_hash).bit_count()
    return row_distance, (one.column_hash ^ other.column_hash).bit_count()


def compressed(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=30)
    return np.asarray(Image.open(file))


@pytest.mark.parametrize(
    "change",
    [
        compressed,
        lambda image: np.asarray(Image.fromarray(image).resize((50, 40), Image.Resampling.LANCZOS)),
        lambda image: (image * 0.8 + 20).astype(np.uint8),
    ],
    ids=["compressed", "smaller", "paler"],
)
def test_changed_copies_differ_in_few_bits_and_different_images_in_many(change):
    for seed in range(20):
        image = landscape(seed)
        assert max(distances(image, change(image))) <= 6
        assert max(distances(image, landscape(seed + 100))) > 12


def test_the_bits_are_set_where_the_brightness_increases():
    ramp = np.broadcast_to(
        np.linspace(0, 255, 90).astype(np.uint8)[None, :, None], (60, 90, 3)
    )  # brighter to the right

    original, flipped, transposed = (
        compute_fingerprint(np.ascontiguousarray(p)) for p in (ramp, ramp[:, ::-1], ramp.swapaxes(0, 1))
    )

    assert (original.row_hash, original.column_hash) == (2**64 - 1, 0)
    assert (flipped.row_hash, flipped.column_hash) == (0, 0)
    assert (transposed.row_hash, transposed.column_hash) == (0, 2**64 - 1)


def test_grey_is_a_small_copy_and_tiny_images_have_fingerprints():
    half = np.zeros((64, 32, 3), np.uint8)
    half[:32] = 200

    grey = compute_fingerprint(half).grey

    assert grey.shape == (16, 16) and (grey[:8] == 200).all() and (grey[8:] == 0).all()
    assert compute_fingerprint(np.zeros((1, 1, 3), np.uint8)).row_hash == 0

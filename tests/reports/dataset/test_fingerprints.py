"""Alike images have alike fingerprints, others have not."""

import io

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras.reports.dataset.fingerprints import fingerprint


def landscape(seed, size=(96, 128)):
    """A smooth image, as photographs are from afar: uint8 (H, W, 3)."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize(size[::-1], Image.Resampling.BICUBIC))


def distances(one, other):
    one, other = fingerprint(one), fingerprint(other)
    return (one.rows ^ other.rows).bit_count(), (one.columns ^ other.columns).bit_count()


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
def test_changed_copies_differ_in_few_bits_and_other_images_in_many(change):
    for seed in range(20):
        image = landscape(seed)
        assert max(distances(image, change(image))) <= 6
        assert max(distances(image, landscape(seed + 100))) > 12


def test_the_bits_say_where_it_grows_brighter():
    ramp = np.broadcast_to(np.linspace(0, 255, 90).astype(np.uint8)[None, :, None], (60, 90, 3))  # to the right

    seen, mirrored, turned = (fingerprint(np.ascontiguousarray(p)) for p in (ramp, ramp[:, ::-1], ramp.swapaxes(0, 1)))

    assert (seen.rows, seen.columns) == (2**64 - 1, 0)
    assert (mirrored.rows, mirrored.columns) == (0, 0)
    assert (turned.rows, turned.columns) == (0, 2**64 - 1)


def test_what_is_small_is_the_image_and_tiny_ones_have_fingerprints():
    half = np.zeros((64, 32, 3), np.uint8)
    half[:32] = 200

    small = fingerprint(half).small

    assert small.shape == (16, 16) and (small[:8] == 200).all() and (small[8:] == 0).all()
    assert fingerprint(np.zeros((1, 1, 3), np.uint8)).rows == 0

"""The cache of reduced images: the pixels do not depend on its content, and its size is limited."""

import os
import threading

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras.data.images.image_cache import ImageCache
from pix2seq_keras.data.images.read_image import ImageError, read_image, use_image_reader
from pix2seq_keras.errors import InputError


def smooth(seed, size=(90, 120)):
    """An image without noise: JPEG keeps it nearly as it is."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (4, 5, 3), np.uint8))
    return np.asarray(small.resize(size[::-1], Image.Resampling.BICUBIC))


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(smooth(0)).save(path)
    return path


def read(cache, path):
    with use_image_reader(cache):
        return read_image(path)


def copies(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def cache_at(tmp_path, **options):
    return ImageCache(tmp_path / "cache", **{"gigabytes": 1.0, "longest_side": 60, **options})


def test_a_hit_and_a_miss_give_the_same_pixels(tmp_path, photo):
    missed = read(cache_at(tmp_path), photo)
    kept = copies(tmp_path / "cache")
    hit = read(cache_at(tmp_path), photo)
    elsewhere = read(cache_at(tmp_path / "other"), photo)

    assert missed.shape == (45, 60, 3) and missed.dtype == np.uint8
    assert len(kept) == 1
    np.testing.assert_array_equal(hit, missed)
    np.testing.assert_array_equal(elsewhere, missed)


def test_a_copy_is_close_to_its_original(tmp_path, photo):
    found = read(cache_at(tmp_path), photo)
    expected = np.asarray(Image.fromarray(smooth(0)).resize((60, 45), Image.Resampling.BOX))
    assert np.abs(found.astype(int) - expected).mean() < 3


def test_a_second_read_decodes_only_the_copy(tmp_path, photo):
    decoded = []

    def counting(cache):
        def image_reader(file, decode):
            return cache(file, lambda data: decoded.append(1) or decode(data))

        return image_reader

    cache = cache_at(tmp_path)
    for image_reader in (counting(cache), counting(cache), counting(cache_at(tmp_path))):
        read(image_reader, photo)

    assert len(decoded) == 1


def test_the_key_is_the_content_and_not_the_name(tmp_path, photo):
    cache = cache_at(tmp_path)
    first = read(cache, photo)
    copy = tmp_path / "the same.png"
    copy.write_bytes(photo.read_bytes())
    np.testing.assert_array_equal(read(cache, copy), first)
    assert len(copies(tmp_path / "cache")) == 1

    Image.fromarray(smooth(1)).save(photo)
    assert (read(cache, photo) != first).any()
    assert len(copies(tmp_path / "cache")) == 2


def test_another_longest_side_makes_another_copy(tmp_path, photo):
    assert read(cache_at(tmp_path), photo).shape == (45, 60, 3)
    assert read(cache_at(tmp_path, longest_side=40), photo).shape == (30, 40, 3)
    assert len(copies(tmp_path / "cache")) == 2


def test_small_images_are_unchanged_and_not_cached(tmp_path, photo):
    cache = cache_at(tmp_path, longest_side=120)
    for _ in range(2):
        np.testing.assert_array_equal(read(cache, photo), smooth(0))
    assert copies(tmp_path / "cache") == []


def test_images_given_as_bytes_are_cached_too(tmp_path, photo):
    cache = cache_at(tmp_path)
    from_path = read(cache, photo)
    with use_image_reader(cache):
        np.testing.assert_array_equal(read_image(photo.read_bytes()), from_path)
    assert len(copies(tmp_path / "cache")) == 1


DAMAGES = {
    "emptied": lambda data: b"",
    "truncated": lambda data: data[:50],
    "another checksum": lambda data: data[:-1] + b"?",
    "other bytes": lambda data: data[:40] + b"\0\0\0\0" + data[44:],
    "an empty copy with a valid checksum": lambda data: bytes(4),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_copy_is_made_again(tmp_path, photo, damage):
    expected = read(cache_at(tmp_path), photo)
    (copy,) = copies(tmp_path / "cache")
    whole = copy.read_bytes()
    copy.write_bytes(damage(whole))

    np.testing.assert_array_equal(read(cache_at(tmp_path), photo), expected)
    assert copy.read_bytes() == whole


def test_the_size_is_limited_and_copies_in_use_stay(tmp_path):
    photos = []
    for seed in range(8):
        photos.append(tmp_path / f"{seed}.png")
        Image.fromarray(smooth(seed)).save(photos[-1])
    one = copies_size(tmp_path / "probe", photos)
    cache = ImageCache(tmp_path / "cache", gigabytes=3.5 * one / 1e9, longest_side=60)

    expected = [read(cache, photo) for photo in photos]
    kept = copies(tmp_path / "cache")
    for photo, pixels in zip(photos, expected, strict=True):
        np.testing.assert_array_equal(read(cache, photo), pixels)

    assert 2 <= len(kept) < 8
    assert sum(path.stat().st_size for path in kept) <= 3.5 * one
    assert copies(tmp_path / "cache") == kept


def copies_size(folder, photos):
    """Bytes of the largest copy."""
    cache = ImageCache(folder, longest_side=60)
    for photo in photos:
        read(cache, photo)
    return max(path.stat().st_size for path in copies(folder))


def test_unused_copies_are_deleted_to_make_room(tmp_path, photo):
    read(cache_at(tmp_path), photo)
    (old,) = copies(tmp_path / "cache")
    size = old.stat().st_size
    abandoned = old.parent / "abandoned.tmp"
    abandoned.write_bytes(b"half an image")
    for path in (old, abandoned):
        os.utime(path, (1e9, 1e9))
    Image.fromarray(smooth(1)).save(photo)

    read(cache_at(tmp_path, gigabytes=1.5 * size / 1e9), photo)

    (new,) = copies(tmp_path / "cache")
    assert new != old and not abandoned.exists()


def test_many_threads_may_write_at_once(tmp_path):
    photos = [tmp_path / f"{seed}.png" for seed in range(6)]
    for seed, path in enumerate(photos):
        Image.fromarray(smooth(seed)).save(path)
    expected = [read(cache_at(tmp_path / "alone"), path) for path in photos]
    caches = [cache_at(tmp_path) for _ in range(2)]
    wrong = []

    def work(number):
        for round_number in range(10):
            place = (number + round_number) % 6
            if (read(caches[number % 2], photos[place]) != expected[place]).any():
                wrong.append(place)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
    kept = copies(tmp_path / "cache")
    assert len(kept) == 6 and not [path for path in kept if path.suffix == ".tmp"]


def test_a_cache_that_cannot_be_written_warns_once_and_images_are_still_read(tmp_path, photo, monkeypatch):
    cache = cache_at(tmp_path)
    expected = read(cache_at(tmp_path / "other"), photo)

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", full)
    with pytest.warns(UserWarning, match="No space left on device") as warned:
        for _ in range(3):
            np.testing.assert_array_equal(read(cache, photo), expected)
    assert len(warned) == 1


def test_an_unreadable_original_is_an_error_as_without_a_cache(tmp_path, photo):
    photo.write_bytes(photo.read_bytes()[:-200])
    with pytest.raises(ImageError, match=r"photo\.png"):
        read(cache_at(tmp_path), photo)
    assert copies(tmp_path / "cache") == []


@pytest.mark.parametrize("options", [{"gigabytes": 0}, {"gigabytes": float("nan")}, {"longest_side": 0}])
def test_impossible_sizes_are_refused(tmp_path, options):
    with pytest.raises(InputError, match="Received: gigabytes"):
        cache_at(tmp_path, **options)


def test_a_folder_that_cannot_be_written_is_refused_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        ImageCache(tmp_path / "file" / "cache")

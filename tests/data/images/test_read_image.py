"""Every kind of image is read as upright RGB, completely or not at all."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pix2seq_keras.data.images.read_image import ImageError, inspect_image, read_image

# 48 × 32 with four different quarters: any flip or rotation is visible.
QUARTERS = np.zeros((32, 48, 3), np.uint8)
QUARTERS[:16, :24] = (250, 20, 20)
QUARTERS[:16, 24:] = (20, 250, 20)
QUARTERS[16:, :24] = (20, 20, 250)
QUARTERS[16:, 24:] = (230, 230, 230)
NOISE = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)


def encode(image, format="PNG", **options):
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def exif(orientation):
    block = Image.Exif()
    block[0x0112] = orientation
    return block


def stored_for(upright, orientation):
    """The pixels that a camera stores for an upright scene: the inverse of what viewers do."""
    return {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation](upright).copy()


def test_jpeg_pixels_are_those_of_tensorflows_decoder(tmp_path):
    path = tmp_path / "noise.jpg"
    path.write_bytes(encode(NOISE, "JPEG", quality=70))

    pixels = read_image(path)

    np.testing.assert_array_equal(pixels, tf.io.decode_jpeg(path.read_bytes(), channels=3).numpy())
    assert inspect_image(path).plain
    np.testing.assert_array_equal(read_image(path.read_bytes()), pixels)
    np.testing.assert_array_equal(read_image(str(path)), pixels)


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_rgb_comes_back_exactly(format):
    np.testing.assert_array_equal(read_image(encode(NOISE, format)), NOISE)


def test_palette_one_bit_and_gif_images_show_their_colours():
    palette = Image.fromarray(QUARTERS).quantize(8)
    one_bit = Image.fromarray(QUARTERS[..., 0] > 100).convert("1")
    frames = [palette, Image.fromarray(255 - QUARTERS).quantize(8)]

    np.testing.assert_allclose(read_image(encode(palette)), QUARTERS, atol=8)
    np.testing.assert_array_equal(read_image(encode(one_bit))[..., 1], (QUARTERS[..., 0] > 100) * 255)
    animated = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_allclose(read_image(animated), QUARTERS, atol=8)
    lossless = encode(NOISE, "WEBP", lossless=True)
    np.testing.assert_array_equal(read_image(lossless), NOISE)


def test_cmyk_jpegs_show_their_colours_with_and_without_adobes_inversion():
    cmyk = Image.fromarray(QUARTERS).convert("CMYK")
    adobe = encode(cmyk, "JPEG", quality=95)
    marker = adobe.index(b"\xff\xeeAdobe"[:2])
    length = int.from_bytes(adobe[marker + 2 : marker + 4], "big")
    # The same scene stored without inversion and without the marker that announces it.
    plain = encode(Image.fromarray(255 - np.asarray(cmyk), mode="CMYK"), "JPEG", quality=95)
    plain = plain[:marker] + plain[marker + 2 + length :]

    assert b"Adobe" in adobe and b"Adobe" not in plain
    for data in (adobe, plain):
        pixels = read_image(data).astype(int)
        assert not inspect_image(data).plain
        assert np.median(np.abs(pixels - QUARTERS)) <= 4
    np.testing.assert_allclose(read_image(encode(cmyk, "TIFF")), QUARTERS, atol=2)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_read_upright(orientation, format):
    stored = stored_for(QUARTERS, orientation)
    options = {"TIFF": {}, "PNG": {}, "JPEG": {"quality": 95}, "WEBP": {"lossless": True}}[format]
    data = encode(stored, format, exif=exif(orientation), **options)

    info, pixels = inspect_image(data), read_image(data)

    assert pixels.shape == QUARTERS.shape and pixels.flags.c_contiguous
    assert np.median(np.abs(pixels.astype(int) - QUARTERS)) <= 3
    assert (info.width, info.height, info.exif_orientation) == (48, 32, orientation)
    assert (info.stored_height, info.stored_width) == stored.shape[:2]
    assert info.plain == (orientation == 1 and format in ("JPEG", "PNG"))


def test_an_invalid_orientation_counts_as_upright():
    data = encode(QUARTERS, "JPEG", exif=exif(77))
    broken = encode(QUARTERS, "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")

    assert inspect_image(data).exif_orientation == 1
    np.testing.assert_array_equal(read_image(broken), QUARTERS)


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("BMP", {}),
        ("GIF", {}),
        ("TIFF", {}),
        ("WEBP", {}),
    ],
)
def test_a_truncated_image_is_an_error_in_every_format(format, options, tmp_path):
    data = encode(np.tile(NOISE, (4, 4, 1)), format, **options)
    path = tmp_path / f"half.{format.lower()}"

    for part in (0.1, 0.5, 0.9):
        path.write_bytes(data[: int(len(data) * part)])
        with pytest.raises(ImageError, match="half"):
            read_image(path)


def test_a_jpeg_without_its_last_byte_is_an_error():
    with pytest.raises(ImageError):
        read_image(encode(NOISE, "JPEG")[:-1])


def test_files_that_are_no_images_are_named_in_the_error(tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("This is no image.")
    (tmp_path / "script.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "below").write_text("a file")

    for name, words in {
        "empty.jpg": "empty",
        "text.jpg": "not an image",
        "script.jpg": "not an image",  # Pillow would start Ghostscript for it
        "folder.jpg": "folder",
        "gone.jpg": "no image",
        "below/x.jpg": "no image",
        "n" * 300: "cannot be opened",
        "\ud800": "cannot be opened",
    }.items():
        for read in (inspect_image, read_image):
            with pytest.raises(ImageError, match=words) as caught:
                read(tmp_path / name)
            assert repr(name)[1:-1] in str(caught.value)
    with pytest.raises(ImageError) as caught:
        read_image(tmp_path / "gone.jpg")
    assert caught.value.kind == "missing image"
    with pytest.raises(ImageError, match="empty"):
        read_image(b"")
    with pytest.raises(ImageError, match="Received: an int"):
        read_image(3)


def test_images_without_read_permission_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "secret.png"
    path.write_bytes(encode(QUARTERS))

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    # Tests may run as root, who may read every file.
    monkeypatch.setattr(Image, "open", refuse)
    monkeypatch.setattr(type(path), "read_bytes", refuse)

    for read in (inspect_image, read_image):
        with pytest.raises(ImageError, match="No permission"):
            read(path)


def test_images_of_too_many_pixels_are_refused_before_decoding():
    data = encode(Image.new("1", (4000, 3000)))

    with pytest.raises(ImageError, match="4000×3000"):
        read_image(data, max_pixels=10_000_000)
    with pytest.raises(ImageError, match="4000×3000"):
        inspect_image(data, max_pixels=10_000_000)

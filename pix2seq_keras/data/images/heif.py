"""HEIC and HEIF, the photographs of telephones. Pillow reads them with the extra [heic]."""

import functools
from pathlib import Path

from pix2seq_keras.data.images.image_error import ImageError

FORMAT = "HEIF"  # as Pillow calls it
_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1")


def is_heif(source):
    """Whether a file is HEIF by its first bytes.

    Args:
        source: path, or `io.BytesIO`.

    Returns:
        bool.
    """
    if isinstance(source, str | Path):
        with Path(source).open("rb") as file:
            start = file.read(12)
    else:
        start = source.getvalue()[:12]
    return start[4:8] == b"ftyp" and start[8:] in _BRANDS


@functools.cache
def _is_registered():
    try:
        import pillow_heif  # optional, and so not imported before the first such image
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True


def require_heif(name):
    """Makes Pillow able to read HEIF.

    Args:
        name: str, the image's name in the error.

    Returns:
        str, `FORMAT`.

    Raises:
        ImageError: if pillow-heif is not installed.
    """
    if not _is_registered():
        raise ImageError(
            f"The image {name} is HEIC, which is read with the package pillow-heif. Install it with `pip install "
            "pillow-heif`, or save the image as JPEG."
        )
    return FORMAT

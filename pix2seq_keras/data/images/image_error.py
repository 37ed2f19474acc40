"""The error of an image that cannot be used."""

from pix2seq_keras.errors import InputError


class ImageError(InputError):
    """An image that cannot be used; the message names the file and the reason.

    Args:
        message: str.
        kind: str, the kind of the issue that reports it, one of `issues.KINDS`. Defaults to "unreadable image".
    """

    def __init__(self, message, kind="unreadable image"):
        super().__init__(message)
        self.kind = kind

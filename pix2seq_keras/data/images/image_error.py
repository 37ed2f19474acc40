"""What is wrong with an image."""

from pix2seq_keras.errors import InputError


class ImageError(InputError):
    """An image that cannot be used; the message names the file and says why.

    Args:
        message: the sentence.
        kind: the kind `Issues` gets: "missing image", "unreadable image", …
    """

    def __init__(self, message, kind="unreadable image"):
        super().__init__(message)
        self.kind = kind

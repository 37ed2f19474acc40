"""What is wrong with a picture."""

from pix2seq_keras.errors import InputError


class PictureError(InputError):
    """A picture that cannot be used; the message names the file and says why.

    Args:
        message: the sentence.
        kind: the kind `Findings` gets: "missing picture", "unreadable picture", …
    """

    def __init__(self, message: str, kind: str = "unreadable picture"):
        super().__init__(message)
        self.kind = kind

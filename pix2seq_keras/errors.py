"""The one exception that speaks to the user."""


class InputError(ValueError):
    """Something the user gave cannot be used; the message is a sentence that says what, and what to do.

    The `pix2seq` command prints the sentence alone and exits with status 2; in Python it is a `ValueError`.
    """

"""The exception for input that cannot be used."""


class InputError(ValueError):
    """Raised for an argument, file or setting that cannot be used; the message says what is wrong and what to do.

    The `pix2seq` command prints only the message and exits with status 2. In Python it is a `ValueError`.
    """

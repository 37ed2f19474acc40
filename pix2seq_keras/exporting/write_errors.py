"""TensorFlow's errors while it writes files become the `InputError` of all other writes."""

import contextlib

import tensorflow as tf

from pix2seq_keras.atomic_files import write_error_message
from pix2seq_keras.errors import InputError


@contextlib.contextmanager
def write_errors(path):
    """Turns errors of TensorFlow's file system, such as a full disk, into one sentence about the output.

    Args:
        path: str or path, the output that the user named, for the message; TensorFlow names a temporary file.

    Raises:
        InputError: in place of a `tf.errors.OpError`.
    """
    try:
        yield
    except tf.errors.OpError as error:
        # "…/variables/variables.data-00000-of-00001; No space left on device"
        reason = " ".join((error.message or type(error).__name__).rpartition("; ")[2].split())[:200].rstrip(".")
        raise InputError(write_error_message(path, OSError(reason))) from error

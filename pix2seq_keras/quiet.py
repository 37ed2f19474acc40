"""TensorFlow without its log lines: a user sees this package's output."""

import contextlib
import os
import sys
import tempfile

from pix2seq_keras.import_hooks import around_import


def silence_tensorflow():
    """From now on the import of TensorFlow is silent; what it writes is shown only if the import fails.

    Some of its lines are written before any setting is read, so the standard error stream is redirected for the time
    of the import. With TF_CPP_MIN_LOG_LEVEL below 3 everything is shown.
    """
    if "tensorflow" not in sys.modules:
        around_import("tensorflow", _import_silently)


def _import_silently(execute, module):
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") < "3":
        execute(module)
        return
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    with _redirected_standard_error():
        execute(module)
        module.get_logger().setLevel("ERROR")  # TensorFlow lowers its level where Python is interactive


@contextlib.contextmanager
def _redirected_standard_error():
    """Keeps standard error, also that of C++ code, in a temporary file; an exception shows it."""
    try:
        original = os.dup(2)
    except OSError:  # a process without standard error
        yield
        return
    with tempfile.TemporaryFile() as written:
        sys.stderr.flush()
        os.dup2(written.fileno(), 2)
        try:
            yield
        except BaseException:
            written.seek(0)
            os.write(original, written.read())
            raise
        finally:
            os.dup2(original, 2)
            os.close(original)

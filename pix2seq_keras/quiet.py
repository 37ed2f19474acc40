"""TensorFlow without its log lines: a user sees this package's output."""

import contextlib
import os
import sys
import tempfile
from pathlib import Path

from pix2seq_keras.import_hooks import around_import


def silence_tensorflow():
    """From now on the import of TensorFlow is silent; what it writes is shown only if the import fails.

    Some of its lines are written before any setting is read, so the standard error stream is redirected for the time
    of the import. With TF_CPP_MIN_LOG_LEVEL below 3 everything is shown.
    """
    if "tensorflow" not in sys.modules:
        around_import("tensorflow", _import_silently)


def _import_silently(execute, module):
    _require_temporary_folder()
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") < "3":
        execute(module)
        return
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    with _redirected_standard_error():
        execute(module)
        module.get_logger().setLevel("ERROR")  # TensorFlow lowers its level where Python is interactive


def _require_temporary_folder():
    """Names a temporary folder where Python finds none that is writable, as in a read-only container or on a full disk.

    The import of TensorFlow asks for its name, but writes nothing there. Shared memory is often writable even then; if
    it is not, later writes fail, and say so.
    """
    try:
        tempfile.gettempdir()
    except OSError:
        memory = Path("/dev/shm")
        tempfile.tempdir = str(memory if os.access(memory, os.W_OK) else Path("/tmp"))


@contextlib.contextmanager
def _redirected_standard_error():
    """Keeps standard error, also that of C++ code, in a file without a name; an exception shows it."""
    written = _nameless_file()
    if written is None:  # the lines are shown: better than no import
        yield
        return
    with written:
        try:
            original = os.dup(2)
        except OSError:  # a process without standard error
            yield
            return
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


def _nameless_file():
    """A file in memory, or else in the temporary folder, or None where neither is possible, as on a full disk."""
    for make in (_file_in_memory, tempfile.TemporaryFile):
        with contextlib.suppress(OSError):
            return make()
    return None


def _file_in_memory():
    if not hasattr(os, "memfd_create"):  # only Linux has it
        raise OSError("no files in memory")
    return os.fdopen(os.memfd_create("pix2seq-stderr"), "w+b")

"""TensorFlow without its chatter: a user sees this package's output."""

import os
import sys
import tempfile


def import_tensorflow():
    """Imports TensorFlow silently; what it writes is shown only if the import fails.

    Some of its lines are written before any setting is read, so the standard error stream itself is turned away for
    the time of the import. Whoever sets TF_CPP_MIN_LOG_LEVEL below 3 sees everything.
    """
    if "tensorflow" in sys.modules or os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") < "3":
        return
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    try:
        kept = os.dup(2)
    except OSError:  # a process without standard error has nothing to turn away
        return
    with tempfile.TemporaryFile() as said:
        sys.stderr.flush()
        os.dup2(said.fileno(), 2)
        try:
            import tensorflow

            tensorflow.get_logger().setLevel("ERROR")  # it made itself talkative where Python is interactive
        except BaseException:
            said.seek(0)
            os.write(kept, said.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)

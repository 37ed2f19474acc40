"""A lock between processes, such as the workers of one training run that all need the same file."""

import contextlib
import errno
import os
import time

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
try:
    import msvcrt
except ImportError:  # everything else
    msvcrt = None

_SECONDS_BETWEEN_TRIES = 0.1


@contextlib.contextmanager
def file_lock(path, wait=True):
    """Holds a lock while the block runs. Other processes and threads wait at the same call.

    The system releases the lock when its process ends, also when the process is killed. Where the system or the file
    system has no locks, the block runs without one.

    Args:
        path: str or path, the lock file. It is made if it is missing, and stays. Its folder must exist.
        wait: bool, whether to wait for the lock. Defaults to True.

    Raises:
        BlockingIOError: if another process or thread holds the lock and `wait` is False.
        OSError: if the lock file cannot be opened.

    Example:
        >>> with file_lock("cache/.weights.lock"):
        ...     fetch("cache/weights")
    """
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o664)
    try:
        if fcntl is not None:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except OSError as error:  # some network file systems have no locks
                if error.errno in (errno.EWOULDBLOCK, errno.EACCES) and not wait:
                    raise BlockingIOError(error.errno, os.strerror(error.errno), str(path)) from error
            yield
        elif msvcrt is not None:
            locked = _lock_on_windows(descriptor, wait)
            try:
                yield
            finally:
                if locked:
                    msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
        else:
            yield
    finally:
        os.close(descriptor)


def _lock_on_windows(descriptor, wait):
    while True:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            return True
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EDEADLK):  # a file system without locks
                return False
            if not wait:
                raise BlockingIOError(*error.args) from error
            time.sleep(_SECONDS_BETWEEN_TRIES)  # another process holds it; Windows' own call gives up after ten seconds

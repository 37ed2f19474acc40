"""One process at a time, on systems with either kind of lock and on those without."""

import threading
import time
from types import SimpleNamespace

import pytest

from pix2seq_keras import file_lock as locks
from pix2seq_keras.file_lock import file_lock


class WindowsLocks:
    """What `msvcrt.locking` does, for locks of one process."""

    LK_NBLCK, LK_UNLCK = 2, 0

    def __init__(self):
        self.held = threading.Lock()

    def locking(self, descriptor, mode, count):
        assert count == 1
        if mode == self.LK_UNLCK:
            self.held.release()
        elif not self.held.acquire(blocking=False):
            raise PermissionError(13, "Permission denied")


def run_in_four_threads(path):
    """The largest number of threads that were inside the lock at once."""
    inside, most = [], []

    def work():
        with file_lock(path):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.02)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(most)


@pytest.fixture(params=["posix", "windows"])
def system(request, monkeypatch):
    if request.param == "windows":
        monkeypatch.setattr(locks, "fcntl", None)
        monkeypatch.setattr(locks, "msvcrt", WindowsLocks())
        monkeypatch.setattr(locks, "_SECONDS_BETWEEN_TRIES", 0.001)
    elif locks.fcntl is None:
        pytest.skip("this system has no fcntl")


def test_only_one_holder_at_a_time(system, tmp_path):
    assert run_in_four_threads(tmp_path / "lock") == 1


def test_an_error_in_the_block_releases_the_lock(system, tmp_path):
    with pytest.raises(KeyError), file_lock(tmp_path / "lock"):
        raise KeyError

    assert run_in_four_threads(tmp_path / "lock") == 1


def test_without_locks_the_block_still_runs(monkeypatch, tmp_path):
    monkeypatch.setattr(locks, "fcntl", None)
    monkeypatch.setattr(locks, "msvcrt", None)

    assert run_in_four_threads(tmp_path / "lock") >= 1


def test_a_file_system_without_locks_is_no_error(monkeypatch, tmp_path):
    def refuse(descriptor, operation):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(locks, "fcntl", SimpleNamespace(flock=refuse, LOCK_EX=2))

    with file_lock(tmp_path / "lock"):
        assert (tmp_path / "lock").is_file()

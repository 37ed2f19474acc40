"""Computes results in advance in a few threads and hands them on in order."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor

_THREADS = 4  # decoding releases the GIL; more threads only keep more images in memory


def prefetch(work, count):
    """Yields `work(0)`, …, `work(count - 1)` in order; threads compute the next few in advance.

    Args:
        work: function of an int, called from several threads. What it raises is raised where its result is due.
        count: int, number of calls.

    Yields:
        The results.

    Example:
        >>> list(prefetch(lambda index: index * index, 4))
        [0, 1, 4, 9]
    """
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="pix2seq-prefetch") as threads:
        ahead = deque()
        for index in range(count):
            ahead.append(threads.submit(work, index))
            if len(ahead) > _THREADS:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()

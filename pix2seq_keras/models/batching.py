"""Batches of one size: how images are cut, how the last batch is filled, and when XLA repays its compilation."""

import itertools

from pix2seq_keras.ranges import require_count
from pix2seq_keras.sequences import TOKENS_PER_OBJECT

# XLA saves one to four milliseconds a decoding step of a published model and takes some seconds to compile: see
# docs/performance.md.
STEPS_THAT_REPAY = 4000


def repays_compilation(num_images, batch_size, max_objects):
    """Whether a run has so many decoding steps that XLA's faster steps repay its compilation.

    Args:
        num_images: int or None, images of the whole run; None means unknown.
        batch_size: int.
        max_objects: int, objects decoded of every image.

    Returns:
        bool.
    """
    if num_images is None:
        return False
    num_batches = -(-num_images // batch_size)
    return num_batches * max_objects * TOKENS_PER_OBJECT >= STEPS_THAT_REPAY


def batches(items, batch_size, fill_last=False):
    """Cuts items into batches.

    Args:
        items: iterable.
        batch_size: int ≥ 1.
        fill_last: bool, whether the last batch is filled up with copies of its last item. A compiled function is then
            always called with one batch size.

    Yields:
        Pairs of a list of at most `batch_size` items, and int, how many of them are not copies.

    Raises:
        InputError: if `batch_size` is less than 1.

    Example:
        >>> list(batches("abcde", 2, fill_last=True))
        [(['a', 'b'], 2), (['c', 'd'], 2), (['e', 'e'], 1)]
    """
    require_count("batch_size", batch_size)
    items = iter(items)
    while batch := list(itertools.islice(items, batch_size)):
        count = len(batch)
        if fill_last:
            batch += batch[-1:] * (batch_size - count)
        yield batch, count

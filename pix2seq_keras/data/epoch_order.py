"""Which image stands at which position of an endless training run, and with which seed."""

import tensorflow as tf

from pix2seq_keras.sequences import fold


def visit(position, count, seed, copies=1, schedule=None):
    """The image at a position of the run: a pure function, so a run can start anywhere.

    Every epoch visits all images, in an order of its own.

    Args:
        position: int64 scalar tensor, 0 is the first example of the run.
        count: int, images.
        seed: int, of the run.
        copies: int, how often each image comes, one right after the other.
        schedule: `RepeatSchedule` over the images or None: how often each comes in an epoch.

    Returns:
        `(image, example_seed)`: int64 scalar tensor, 0 … count − 1, and int32 tensor (2,), which decides everything
        random about the example.
    """
    position, copy = position // copies, position % copies
    length = count if schedule is None else schedule.length
    epoch, place = position // length, position % length
    epoch_seed = fold(tf.stack([seed, 0]), epoch)
    # A bijection computed per element: no epoch-long permutation to keep or to replay when resuming.
    image = tf.random.experimental.index_shuffle(place, fold(epoch_seed, "shuffle"), length - 1)
    if schedule is not None:
        image = schedule.images(image, epoch)
    example_seed = fold(fold(epoch_seed, "example"), place)
    return image, example_seed if copies == 1 else fold(example_seed, copy)


def shared_position(position, batch_size, worker=0, workers=1):
    """The position in the run of what one of several workers reads.

    Each worker reads its slice of every global batch; all slices together are the batch of one worker alone.

    Args:
        position: int64 scalar tensor, counts what this worker reads.
        batch_size: int, of the global batch, a multiple of `workers`.
        worker: int, 0 … workers − 1.
        workers: int.

    Returns:
        int64 scalar tensor.
    """
    own = batch_size // workers
    return position // own * batch_size + worker * own + position % own

"""The order of the images in an endless training run, computed from the seed and the position alone."""

import tensorflow as tf

from pix2seq_keras.sequences import fold


def image_at(position, count, seed, copies=1, schedule=None):
    """The image at a position of the run.

    It is a pure function of the arguments, so a run can start anywhere. Every epoch has all images, in its own order.

    Args:
        position: int64 scalar tensor, 0 is the first example of the run.
        count: int, number of images.
        seed: int, of the run.
        copies: int, how often each image comes, one right after the other. Defaults to 1.
        schedule: `RepeatSchedule` over the images, or None: how often each image comes in an epoch. Defaults to None,
            once.

    Returns:
        `(image, example_seed)`: int64 scalar tensor, 0 … count − 1, and int32 tensor (2,), which decides everything
        random about the example.
    """
    position, copy = position // copies, position % copies
    length = count if schedule is None else schedule.length
    epoch, place = position // length, position % length
    epoch_seed = fold(tf.stack([seed, 0]), epoch)
    # A bijection computed per element: no permutation of a whole epoch to store, or to replay when resuming.
    image = tf.random.experimental.index_shuffle(place, fold(epoch_seed, "shuffle"), length - 1)
    if schedule is not None:
        image = schedule.images(image, epoch)
    example_seed = fold(fold(epoch_seed, "example"), place)
    return image, example_seed if copies == 1 else fold(example_seed, copy)


def global_position(position, batch_size, worker=0, workers=1):
    """The position in the run of an example that one of several workers reads.

    Each worker reads its slice of every global batch; the slices of all workers are the batch of a single worker.

    Args:
        position: int64 scalar tensor, counts the examples of this worker.
        batch_size: int, of the global batch, a multiple of `workers`.
        worker: int, 0 … workers − 1. Defaults to 0.
        workers: int, number of workers. Defaults to 1.

    Returns:
        int64 scalar tensor.
    """
    own = batch_size // workers
    return position // own * batch_size + worker * own + position % own

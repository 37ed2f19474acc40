"""From a source to the batches that `model.fit` reads."""

import contextlib
import re

import numpy as np
import tensorflow as tf

from pix2seq_keras.boxes import boxes_to_canvas
from pix2seq_keras.data.augmentation import augment
from pix2seq_keras.data.epoch_order import global_position, image_at
from pix2seq_keras.data.example_reader import examples_without_pixels, graph_reader, portable_reader, python_reader
from pix2seq_keras.data.repeat_sampling import RepeatSchedule, repeat_factors
from pix2seq_keras.data.transforms import pad_to_canvas
from pix2seq_keras.errors import InputError
from pix2seq_keras.ranges import require_count
from pix2seq_keras.sequences import fold, select_objects, training_sequence


def training_example(example, seed, vocabulary, image_size, sequence, augmentation, other=None):
    """Makes one augmented training example, in the published order of steps (paper, section 3.1).

    Args:
        example: dict of a source, `"image"` uint8 (h, w, 3), `"boxes"` float32 (n, 4), `rel_yxyx`, `"classes"` int32
            (n,), `"is_crowd"` bool (n,).
        seed: int tensor (2,), decides everything random.
        vocabulary: `Vocabulary`.
        image_size: pair of int (H, W), the canvas in pixels.
        sequence: `SequenceOptions`.
        augmentation: `Augmentation`.
        other: function of a seed (2,) that returns the example of another image; mosaics need it. Defaults to None.

    Returns:
        `(x, targets, token_weights)`: x = {"images" float32 (H, W, 3), "tokens" int32 (L,)}, targets int32 (L,) and
        token weights float32 (L,).
    """
    augmented = augment(example, image_size, augmentation, seed, other)
    # Noise boxes belong to the frame of the cropped, unpadded image, as published.
    boxes, classes = select_objects(augmented["boxes"], augmented["classes"], sequence, fold(seed, "objects"))
    boxes = boxes_to_canvas(boxes, tf.shape(augmented["image"])[:2], image_size)
    image = pad_to_canvas(augmented["image"], image_size)
    tokens, targets, weights = training_sequence(boxes, classes, vocabulary, sequence, fold(seed, "sequence"))
    return {"images": image, "tokens": tokens}, targets, weights


def training_dataset(
    source,
    vocabulary,
    image_size,
    batch_size,
    sequence,
    augmentation,
    seed=0,
    start=0,
    limit=None,
    copies=1,
    repeat_threshold=0.0,
    cache=None,
    shard=(0, 1),
    service=None,
):
    """Makes an endless data set of batches for `model.fit`. Each batch is a pure function of (seed, position).

    Every epoch has its own order. Images without annotations are skipped. An image that cannot be read is replaced by
    the next readable one, so that positions never shift, and is reported in `source.issues`.

    Args:
        source: `Source`.
        vocabulary: `Vocabulary` of at least as many classes as the source has.
        image_size: pair of int (H, W), the canvas in pixels.
        batch_size: int, of the batch of all workers together.
        sequence: `SequenceOptions`.
        augmentation: `Augmentation`.
        seed: int. Defaults to 0.
        start: int, number of examples that all workers have read before; resuming starts there. Defaults to 0.
        limit: int or None, use only the first so many annotated images. Defaults to None, all.
        copies: int, how often each image comes, one right after the other, each time augmented differently. Defaults
            to 1.
        repeat_threshold: float, images with a class on fewer than this share of the images come more often, see
            `repeat_sampling.repeat_factors`. Defaults to 0, which repeats nothing.
        cache: `ImageCache` or None. Training then uses its reduced images. Defaults to None.
        shard: pair of int (worker, workers): this worker reads its slice, `batch_size // workers` examples of every
            batch. Defaults to (0, 1).
        service: str or None, address of a `tf.data.service` dispatcher, such as "grpc://localhost:5000", whose workers
            prepare the batches. They must have the same files. With several workers, the order of batches is not
            fixed. Defaults to None.

    Returns:
        `tf.data.Dataset` of batched (x, targets, token weights), as `training_example` returns them.

    Raises:
        InputError: if the source has no annotated or no readable image, or more classes than the vocabulary; if
            options are out of range or exclude each other.

    Example:
        >>> source = open_source("digits", "train")
        >>> data = training_dataset(source, Vocabulary(10), (96, 96), 32, SequenceOptions(), Augmentation())
        >>> model.fit(data, steps_per_epoch=1000)
    """
    worker, workers = shard
    _check(source, vocabulary, batch_size, limit, copies, shard, cache, service)
    source.require_annotated()
    indices = np.flatnonzero(source.annotated)[:limit]
    _report_long_images(source, indices, sequence.max_objects)
    count = len(indices)
    python_reader(source, indices, cache)(0)  # fails early, and not inside tf.data, if no image can be read
    read = graph_reader(source, indices, cache) if service is None else portable_reader(source, indices)
    schedule = _repeat_schedule(source, indices, repeat_threshold, seed)

    @tf.autograph.experimental.do_not_convert  # no function here needs it, and converting all of them takes seconds
    def build(position):
        position = start + global_position(position, batch_size, worker, workers)
        image, example_seed = image_at(position, count, seed, copies, schedule)
        other = lambda other_seed: read(tf.random.stateless_uniform([], other_seed, 0, count, tf.int64))
        return training_example(read(image), example_seed, vocabulary, image_size, sequence, augmentation, other)

    own = batch_size // workers
    # A data service distributes elements of this range among its workers: they must be whole batches.
    batches = tf.data.Dataset.range(np.iinfo(np.int64).max // batch_size)
    dataset = batches.flat_map(lambda batch: tf.data.Dataset.range(batch * own, (batch + 1) * own))
    dataset = dataset.map(build, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    dataset = dataset.batch(own, drop_remainder=True)
    options = tf.data.Options()
    options.threading.max_intra_op_parallelism = 1  # parallel over images, not within one
    dataset = dataset.with_options(options)
    if service is not None:
        dataset = dataset.apply(
            tf.data.experimental.service.distribute(
                processing_mode=tf.data.experimental.service.ShardingPolicy.DYNAMIC, service=service
            )
        )
    return dataset.prefetch(2)


def images_of_batch(source, batch, batch_size, seed=0, limit=None, copies=1, repeat_threshold=0.0):
    """Computes which images are in a batch of `training_dataset`; no image is opened.

    Images that cannot be read are replaced there, and mosaics have parts of other images too.

    Args:
        source: `Source`.
        batch: int, 0 is the first batch of the run.
        batch_size: int, see `training_dataset`, as all that follow.
        seed: int. Defaults to 0.
        limit: int or None. Defaults to None.
        copies: int. Defaults to 1.
        repeat_threshold: float. Defaults to 0.

    Returns:
        List of `batch_size` int, indices of the source.
    """
    indices = np.flatnonzero(source.annotated)[:limit]
    schedule = _repeat_schedule(source, indices, repeat_threshold, seed)
    positions = tf.range(batch * batch_size, (batch + 1) * batch_size, dtype=tf.int64)
    places = [image_at(position, len(indices), seed, copies, schedule)[0] for position in positions]
    return [int(indices[int(place)]) for place in places]


@contextlib.contextmanager
def input_errors():
    """Context for a loop over a training data set: raises an `InputError` of a reader as such.

    tf.data wraps it in an error of its own, whose text has the message and a traceback.

    Raises:
        InputError: if a reader raised one.

    Example:
        >>> with input_errors():
        ...     model.fit(data, steps_per_epoch=1000)
    """
    try:
        yield
    except tf.errors.OpError as error:
        message = re.search(r"InputError: (.*?)\nTraceback", str(error), re.DOTALL)
        if message is None:
            raise
        raise InputError(message[1]) from error


def _check(source, vocabulary, batch_size, limit, copies, shard, cache, service):
    """Checks the options of `training_dataset`."""
    require_count("batch_size", batch_size)
    if len(source.categories) > vocabulary.num_classes:
        raise InputError(
            f"The model's vocabulary must have at least the {len(source.categories)} classes of {source.name}. "
            f"Received: num_classes={vocabulary.num_classes}. Make the model with "
            f"num_classes={len(source.categories)}."
        )
    require_count("limit", limit, optional=True)
    require_count("copies", copies)
    worker, workers = shard
    if not 0 <= worker < workers or batch_size % workers:
        raise InputError(
            "`shard` must be (worker, workers) with 0 ≤ worker < workers, and `workers` must divide `batch_size`. "
            f"Received: shard={tuple(shard)}, batch_size={batch_size}"
        )
    if service is not None and cache is not None:
        raise InputError(
            "`data.service` and `data.cache_dir` exclude each other. "
            f"Received: data.service={service!r} and a cache of images. Use one of them."
        )


def _repeat_schedule(source, indices, threshold, seed):
    """The `RepeatSchedule` over the images, or None where nothing is repeated."""
    if threshold == 0:
        return None
    classes = []
    for _, example in examples_without_pixels(source, indices):
        classes.append(() if example is None else example["classes"][~example["is_crowd"]])
    return RepeatSchedule(repeat_factors(classes, len(source.categories), threshold), seed)


def _report_long_images(source, indices, max_objects):
    """Adds an issue that counts the images with more objects than a sequence holds."""
    counts = source.object_counts[indices]
    longer = int((counts > max_objects).sum())
    if longer:
        source.issues.add(
            "more objects than max_objects",
            f"{source.name} {source.split}",
            f"{longer} of {len(indices)} images have more than max_objects={max_objects} objects (up to "
            f"{int(counts.max())}). Each time such an image is read, {max_objects} of its objects are used.",
        )

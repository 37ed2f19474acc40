"""From a source to the batches that `model.fit` reads: everything between disk and the model, in order."""

import contextlib
import re

import numpy as np
import tensorflow as tf

from pix2seq_keras.data import transforms
from pix2seq_keras.data.augmentation import augment
from pix2seq_keras.data.augmentation_options import Augmentation
from pix2seq_keras.data.epoch_order import shared_position, visit
from pix2seq_keras.data.example_reader import graph_reader, looks, portable_reader, python_reader
from pix2seq_keras.data.repeat_sampling import RepeatSchedule, repeat_factors
from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences import fold, select_objects, training_sequence


def training_example(example, seed, vocabulary, image_size, sequence, augmentation, other=None):
    """One augmented training example: the published order of steps.

    Args:
        example: dictionary of a source, `"image"` uint8 (h, w, 3), `"boxes"`, `"classes"`, `"is_crowd"`.
        seed: int tensor (2,), decides everything random.
        vocabulary: `Vocabulary`.
        image_size: (H, W), the canvas.
        sequence: `SequenceOptions`.
        augmentation: `Augmentation`.
        other: function of a seed (2,) that gives another image's example; mosaics need it.

    Returns:
        x = {"images" float32 (H, W, 3), "tokens" int32 (L,)}, targets int32 (L,), token weights float32 (L,).
    """
    augmented = augment(example, image_size, augmentation, seed, other)
    # Noise boxes belong to the frame of the cropped, unpadded image, as published.
    boxes, classes = select_objects(augmented["boxes"], augmented["classes"], sequence, fold(seed, "objects"))
    boxes = transforms.rescale_boxes(boxes, tf.shape(augmented["image"])[:2], image_size)
    image = transforms.pad_to_canvas(augmented["image"], image_size)
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
    """Endless batches for `model.fit`, each a pure function of (seed, its position).

    Epochs are shuffled afresh; images without annotations are skipped; an image that cannot be read is replaced
    by the next that can, so that positions never shift, and noted in `source.issues`.

    Args:
        source: `Source`.
        vocabulary: `Vocabulary` of at least as many classes as the source.
        image_size: (H, W).
        batch_size: int, over all workers.
        sequence: `SequenceOptions`.
        augmentation: `Augmentation`.
        seed: int.
        start: int, how many examples were read before, by all workers: resuming starts there.
        limit: int or `None`, use only that many images, the first annotated ones.
        copies: int, how often each image comes, one right after the other, each augmented in its own way.
        repeat_threshold: float, classes on fewer than this share of the images come more often, see
            `sampling.repeat_factors`; 0 repeats nothing.
        cache: `ImageCache` or `None`. It is part of what the images are: see there.
        shard: (worker, workers): this one reads its slice, `batch_size // workers` examples of every batch.
        service: `None`, or the address of a `tf.data.service` dispatcher, such as "grpc://localhost:5000", whose
            workers then prepare the batches. They must see the same files. With several, batches arrive as they are
            ready; with one, in order.

    Returns:
        `tf.data.Dataset` of (x, targets, token weights) as `training_example`, batched.

    Raises:
        InputError: if the source has nothing to train on, no image that can be read, or more classes than the
            vocabulary; if options are out of range or exclude each other.
    """
    worker, workers = shard
    _check(source, vocabulary, batch_size, limit, copies, shard, cache, service)
    source.require_annotated()
    indices = np.flatnonzero(source.annotated)[:limit]
    _report_long_images(source, indices, sequence.max_objects)
    count = len(indices)
    python_reader(source, indices, cache)(
        0
    )  # here an error is a sentence; from inside tf.data it would be TensorFlow's
    read = graph_reader(source, indices, cache) if service is None else portable_reader(source, indices)
    schedule = _repeat_schedule(source, indices, repeat_threshold, seed)

    def build(position):
        position = start + shared_position(position, batch_size, worker, workers)
        image, example_seed = visit(position, count, seed, copies, schedule)
        other = lambda other_seed: read(tf.random.stateless_uniform([], other_seed, 0, count, tf.int64))
        return training_example(read(image), example_seed, vocabulary, image_size, sequence, augmentation, other)

    own = batch_size // workers
    # A service hands out numbers of batches, not of examples, to its workers.
    batches = tf.data.Dataset.range(np.iinfo(np.int64).max // batch_size)
    dataset = batches.flat_map(lambda batch: tf.data.Dataset.range(batch * own, (batch + 1) * own))
    dataset = dataset.map(build, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    dataset = dataset.batch(own, drop_remainder=True)
    options = tf.data.Options()
    options.threading.max_intra_op_parallelism = 1  # images are prepared side by side, not each by all threads
    dataset = dataset.with_options(options)
    if service is not None:
        dataset = dataset.apply(
            tf.data.experimental.service.distribute(
                processing_mode=tf.data.experimental.service.ShardingPolicy.DYNAMIC, service=service
            )
        )
    return dataset.prefetch(2)


@contextlib.contextmanager
def reading_errors():
    """Around a loop over a training data set: lets an `InputError` of reading out as itself.

    tf.data hands it on as an error of its own, with the sentence and a traceback in its text.
    """
    try:
        yield
    except tf.errors.OpError as error:
        sentence = re.search(r"InputError: (.*?)\nTraceback", str(error), re.DOTALL)
        if sentence is None:
            raise
        raise InputError(sentence[1]) from error


def _check(source, vocabulary, batch_size, limit, copies, shard, cache, service):
    """Refuses options that cannot be."""
    if batch_size < 1:
        raise InputError(f"batch_size must be at least 1. Received: batch_size={batch_size}")
    if len(source.categories) > vocabulary.num_classes:
        raise InputError(
            f"{source.name} has {len(source.categories)} classes, but the model's vocabulary has only "
            f"{vocabulary.num_classes}. Make the model with num_classes={len(source.categories)}."
        )
    if limit is not None and limit < 1:
        raise InputError(f"limit must be at least 1, or None for all images. Received: limit={limit}")
    if copies < 1:
        raise InputError(f"copies must be at least 1. Received: copies={copies}")
    worker, workers = shard
    if not 0 <= worker < workers or batch_size % workers:
        raise InputError(
            "A shard is (worker, workers) with 0 ≤ worker < workers, and the workers share each batch equally. "
            f"Received: shard={tuple(shard)}, batch_size={batch_size}"
        )
    if service is not None and cache is not None:
        raise InputError("A data service cannot use a cache of images. Use one of data.service and data.cache_dir.")


def _repeat_schedule(source, indices, threshold, seed):
    """`RepeatSchedule` over the images, or `None` where nothing is repeated."""
    if threshold == 0:
        return None
    classes = []
    for _, example in looks(source, indices):
        classes.append(() if example is None else example["classes"][~example["is_crowd"]])
    return RepeatSchedule(repeat_factors(classes, len(source.categories), threshold), seed)


def _report_long_images(source, indices, max_objects):
    """Says once how many images hold more objects than a sequence."""
    counts = source.object_counts[indices]
    longer = int((counts > max_objects).sum())
    if longer:
        source.issues.add(
            "more objects than fit",
            f"{source.name} {source.split}",
            f"{longer} of {len(indices)} images have more than max_objects={max_objects} objects (up to "
            f"{int(counts.max())}): of these images, each time {max_objects} objects are used, the others left out.",
        )

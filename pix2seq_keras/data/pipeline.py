"""From a source to the batches that `model.fit` reads: everything between disk and the model, in order."""

import contextlib
import dataclasses
import re

import numpy as np
import tensorflow as tf

from pix2seq_keras.data import transforms
from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences import fold, select_objects, training_sequence

_READ = ("image", "boxes", "classes", "is_crowd")


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """How training pictures are changed; the defaults are the published fine-tuning ones, without colour.

    Args:
        min_scale, max_scale: floats, the picture is fitted into s·canvas with s uniform between them, then cropped.
        flip: float in [0, 1], probability of a horizontal flip.
        color: float ≥ 0, strength of brightness, contrast, saturation and hue jitter; 0 is off, 1 is usual.
    """

    min_scale: float = 0.3
    max_scale: float = 2.0
    flip: float = 0.5
    color: float = 0.0

    def __post_init__(self):
        if not 0 < self.min_scale <= self.max_scale:
            raise InputError(
                "Scale jitter needs 0 < min_scale ≤ max_scale. "
                f"Received: min_scale={self.min_scale}, max_scale={self.max_scale}"
            )
        if not 0 <= self.flip <= 1 or self.color < 0:
            raise InputError(
                f"flip must lie in [0, 1], color must not be negative. Received: flip={self.flip}, color={self.color}"
            )


def training_example(example, seed, vocabulary, image_size, sequence, augmentation):
    """One augmented training example: the published order of steps.

    Args:
        example: dictionary of a source, `"image"` uint8 (h, w, 3), `"boxes"`, `"classes"`, `"is_crowd"`.
        seed: int tensor (2,), decides everything random.
        vocabulary: `Vocabulary`.
        image_size: (H, W), the canvas.
        sequence: `SequenceOptions`.
        augmentation: `Augmentation`.

    Returns:
        x = {"images" float32 (H, W, 3), "tokens" int32 (L,)}, targets int32 (L,), token weights float32 (L,).
    """
    scales = {"min_scale": augmentation.min_scale, "max_scale": augmentation.max_scale}
    image, boxes = transforms.to_float(example["image"]), example["boxes"]
    image, boxes = transforms.scale_jitter(image, boxes, image_size, **scales, seed=fold(seed, "scale"))
    image, boxes = transforms.random_crop(image, boxes, image_size, seed=fold(seed, "crop"))
    if augmentation.flip:
        image, boxes = transforms.random_horizontal_flip(
            image, boxes, probability=augmentation.flip, seed=fold(seed, "flip")
        )
    if augmentation.color:
        image = transforms.color_jitter(image, strength=augmentation.color, seed=fold(seed, "color"))
    alive = transforms.drop_crowds_and_dead_boxes({**example, "boxes": boxes})
    # Noise boxes belong to the frame of the cropped, unpadded picture, as published.
    boxes, classes = select_objects(alive["boxes"], alive["classes"], sequence, fold(seed, "objects"))
    boxes = transforms.rescale_boxes(boxes, tf.shape(image)[:2], image_size)
    image = transforms.pad_to_canvas(image, image_size)
    rows = training_sequence(boxes, classes, vocabulary, sequence, fold(seed, "sequence"))
    tokens, targets, weights = rows
    return {"images": image, "tokens": tokens}, targets, weights


def training_dataset(
    source, vocabulary, image_size, batch_size, sequence, augmentation, seed=0, start=0, limit=None, copies=1
):
    """Endless batches for `model.fit`, each a pure function of (seed, its position).

    Epochs are shuffled afresh; pictures without annotations are skipped; a picture that cannot be read is replaced
    by the next that can, so that positions never shift, and noted in `source.findings`.

    Args:
        source: `Source`.
        vocabulary: `Vocabulary` of at least as many classes as the source.
        image_size: (H, W).
        batch_size: int.
        sequence: `SequenceOptions`.
        augmentation: `Augmentation`.
        seed: int.
        start: int, how many examples were read before: resuming starts there.
        limit: int or `None`, use only that many pictures, the first annotated ones.
        copies: int, how often each picture comes, one right after the other, each augmented in its own way.

    Returns:
        `tf.data.Dataset` of (x, targets, token weights) as `training_example`, batched.

    Raises:
        InputError: if the source has nothing to train on, no picture that can be read, or more classes than the
            vocabulary.
    """
    if batch_size < 1:
        raise InputError(f"batch_size must be at least 1. Received: batch_size={batch_size}")
    if len(source.categories) > vocabulary.num_classes:
        raise InputError(
            f"{source.name} has {len(source.categories)} classes, but the model's vocabulary has only "
            f"{vocabulary.num_classes}. Make the model with num_classes={len(source.categories)}."
        )
    if limit is not None and limit < 1:
        raise InputError(f"limit must be at least 1, or None for all pictures. Received: limit={limit}")
    if copies < 1:
        raise InputError(f"copies must be at least 1. Received: copies={copies}")
    source.require_annotated()
    indices = np.flatnonzero(source.annotated)[:limit]
    _report_long_pictures(source, indices, sequence.max_objects)
    count = len(indices)
    read = _reader(source, indices)
    read(0)  # here an error is a sentence; from inside tf.data it would be TensorFlow's

    def locate(position):
        position, copy = position // copies, position % copies
        epoch, place = position // count, position % count
        epoch_seed = fold(tf.stack([seed, 0]), epoch)
        # A bijection computed per element: no epoch-long permutation to keep or to replay when resuming.
        index = tf.random.experimental.index_shuffle(place, fold(epoch_seed, "shuffle"), count - 1)
        example_seed = fold(fold(epoch_seed, "example"), place)
        return index, example_seed if copies == 1 else fold(example_seed, copy)

    def build(index, example_seed):
        image, boxes, classes, is_crowd = tf.numpy_function(
            read, [index], [tf.uint8, tf.float32, tf.int32, tf.bool], stateful=False
        )
        example = {
            "image": tf.ensure_shape(image, [None, None, 3]),
            "boxes": tf.ensure_shape(boxes, [None, 4]),
            "classes": tf.ensure_shape(classes, [None]),
            "is_crowd": tf.ensure_shape(is_crowd, [None]),
        }
        return training_example(example, example_seed, vocabulary, image_size, sequence, augmentation)

    dataset = tf.data.Dataset.range(start, np.iinfo(np.int64).max).map(locate)
    dataset = dataset.map(build, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return dataset.batch(batch_size, drop_remainder=True).prefetch(4)


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


def _reader(source, indices):
    """index -> the arrays of one example, of the next readable picture where this one cannot be read."""

    def read(place):
        for offset in range(len(indices)):
            example = source.read_or_report(int(indices[(int(place) + offset) % len(indices)]))
            if example is not None:
                return tuple(example[name] for name in _READ)
        raise InputError(
            f"Not one of the {len(indices)} pictures of {source.name} {source.split} that have objects can be read.\n"
            f"Found there:\n{source.findings.summary()}"
        )

    return read


def _report_long_pictures(source, indices, max_objects):
    """Says once how many pictures hold more objects than a sequence."""
    counts = source.object_counts[indices]
    longer = int((counts > max_objects).sum())
    if longer:
        source.findings.add(
            "more objects than fit",
            f"{source.name} {source.split}",
            f"{longer} of {len(indices)} pictures have more than max_objects={max_objects} objects (up to "
            f"{int(counts.max())}): of these pictures, each time {max_objects} objects are used, the others left out.",
        )

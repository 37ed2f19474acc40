"""From images of any size to boxes on those images."""

import numpy as np
import tensorflow as tf

from pix2seq_keras.data.images.read_image import read_image
from pix2seq_keras.data.transforms import boxes_from_canvas, fit_to_canvas
from pix2seq_keras.decoding import row_seeds, samplers
from pix2seq_keras.errors import InputError
from pix2seq_keras.models.ensemble import agreed, checked_readings
from pix2seq_keras.models.flip_test import mirrored_back, with_mirrored, with_seeds_for_mirrored
from pix2seq_keras.models.inputs import checked_images
from pix2seq_keras.sequences import TOKENS_PER_OBJECT, parse, parse_labels

# XLA spares one to four milliseconds a step of a published model and takes some seconds to compile: see
# docs/performance.md.
STEPS_THAT_REPAY = 4000


def repays_compilation(num_batches, max_objects):
    """Whether a run is long enough that XLA's faster steps repay its compilation: bool."""
    return num_batches * max_objects * TOKENS_PER_OBJECT >= STEPS_THAT_REPAY


def detect(model, images, batch_size=8, seed=0, multi_label=None, jit_compile=None, mirror=False, **options):
    """See `Pix2Seq.detect`."""
    constrained = options.get("constrained", True)
    if multi_label and not constrained:
        raise InputError(
            "Several labels an object need the grammar's probabilities. "
            f"Received: multi_label={multi_label}, constrained={constrained}. Leave out one of them."
        )
    multi_label = constrained if multi_label is None else multi_label
    if options.get("prompt") is not None:
        raise InputError("A prompt goes with `generate`, whose rows are the batch's: `detect` reads from the start.")
    sampler = samplers.get(options.get("sampler", "top_p"))
    options = {**options, "readings": checked_readings(options.get("readings", 1), sampler, mirror)}
    if batch_size < 1:
        raise InputError(f"batch_size must be at least 1. Received: batch_size={batch_size}")
    if _is_float_batch(images):
        images = checked_images(model, images)
    else:
        images = images if isinstance(images, list | tuple) else [images]
        if not images:
            raise InputError("There are no images to detect objects in: the list is empty.")
    count, seeds = len(images), row_seeds(seed, len(images))
    if jit_compile is None:
        jit_compile = model.repays_compilation(count // batch_size, options.get("max_objects"))
    if jit_compile and count > batch_size and count % batch_size:
        # XLA compiles for one size of batch: the last one is filled up.
        fill = [count - 1] * (-count % batch_size)
        images = (
            tf.concat([images, tf.gather(images, fill)], 0)
            if isinstance(images, tf.Tensor)
            else [*images, *(images[place] for place in fill)]
        )
        seeds = np.concatenate([seeds, seeds[fill]])
    results = []
    for start in range(0, len(images), batch_size):
        batch, unpadded = images[start : start + batch_size], None
        if not isinstance(images, tf.Tensor):
            batch, unpadded = canvases(batch, model.image_size)
        options |= {"seed": seeds[start : start + batch_size], "jit_compile": jit_compile}
        results.append(_detect_batch(model, batch, unpadded, multi_label, mirror, options))
    return {name: np.concatenate([result[name] for result in results])[:count] for name in results[0]}


def _is_float_batch(images):
    dtype = getattr(images, "dtype", None)
    return dtype is not None and len(images.shape) == 4 and tf.as_dtype(dtype).is_floating


def canvases(images, image_size):
    """Images of any size -> canvases (B, H, W, 3) and the part of each that is image, (B, 2) pixels."""
    fitted = [fit_to_canvas(read_image(image), image_size) for image in images]
    return tf.stack([canvas for canvas, _ in fitted]), tf.stack([unpadded for _, unpadded in fitted])


def _detect_batch(model, batch, unpadded, multi_label, mirror, options):
    readings = options["readings"]
    if mirror:
        batch = with_mirrored(batch, unpadded)
        seeds = with_seeds_for_mirrored(options["seed"]).numpy()
        options = {**options, "readings": readings // 2, "seed": seeds}
    generated = model.generate(batch, **options)
    until_end = options.get("constrained", True) or options.get("stop_at_end", False)
    if unpadded is not None:
        unpadded = tf.repeat(unpadded, readings, 0)
    objects = found_objects(model, generated, unpadded, multi_label, until_end)
    if mirror:
        objects = mirrored_back(objects, readings)
    if readings > 1:
        objects = _agreed(objects, readings)
    return {name: objects[name].numpy() for name in ("boxes", "classes", "scores", "num_detections")}


@tf.function(autograph=False)
def _agreed(objects, readings):
    return agreed(objects, readings)


def found_objects(model, generated, unpadded, multi_label, until_end):
    """What was read out, as boxes on the images.

    Args:
        model: `Pix2Seq`.
        generated: dictionary of `generate`.
        unpadded: int32 tensor (B, 2), the part of each canvas that is image; `None` where all of it is.
        multi_label: bool, see `detect`.
        until_end: bool, see `parse`.

    Returns:
        Dictionary of tensors, sorted by score: `"boxes"` float32 (B, n, 4) `rel_yxyx` of the images, `"classes"`
        int32, `"scores"` float32 and `"places"` int32 (B, n), the places of the objects in the sequence; and
        `"num_detections"` int32 (B,).
    """
    if multi_label:
        objects = parse_labels(
            generated["tokens"], model.vocabulary, generated["class_probabilities"], generated["coordinates"]
        )
    else:
        classes = generated["classes"], generated["class_scores"]
        objects = parse(generated["tokens"], model.vocabulary, *classes, until_end, generated["coordinates"])
    boxes = objects["boxes"]  # (B, n, 4), of the canvas
    if unpadded is not None:
        boxes = tf.clip_by_value(boxes_from_canvas(boxes, unpadded, model.image_size), 0.0, 1.0)
    rows = {**objects, "boxes": boxes}
    number = rows.pop("num_detections")
    # Unused rows last, then by score; the sort is stable, so equals stay in the order they were read out.
    order = tf.argsort(tf.where(rows["classes"] >= 0, -rows["scores"], np.inf), axis=-1, stable=True)
    return {**{name: tf.gather(values, order, batch_dims=1) for name, values in rows.items()}, "num_detections": number}

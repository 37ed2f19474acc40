"""From pictures of any size to boxes on those pictures."""

import numpy as np
import tensorflow as tf

from pix2seq_keras.data.pictures import read_picture
from pix2seq_keras.data.transforms import boxes_from_canvas, fit_to_canvas
from pix2seq_keras.decoding import row_seeds
from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences import parse, parse_labels


def detect(model, images, batch_size=8, seed=0, multi_label=None, **options):
    """See `Pix2Seq.detect`."""
    constrained = options.get("constrained", True)
    if multi_label and not constrained:
        raise InputError(
            "Several labels an object need the grammar's probabilities. "
            f"Received: multi_label={multi_label}, constrained={constrained}. Leave out one of them."
        )
    multi_label = constrained if multi_label is None else multi_label
    if batch_size < 1:
        raise InputError(f"batch_size must be at least 1. Received: batch_size={batch_size}")
    if _is_float_batch(images):
        pictures = model.checked_images(images)
    else:
        pictures = images if isinstance(images, list | tuple) else [images]
        if not pictures:
            raise InputError("There are no pictures to detect objects in: the list is empty.")
    seeds = row_seeds(seed, len(pictures))
    results = []
    for start in range(0, len(pictures), batch_size):
        canvases, unpadded = pictures[start : start + batch_size], None
        if not isinstance(pictures, tf.Tensor):
            canvases, unpadded = _canvases(canvases, model.image_size)
        options["seed"] = seeds[start : start + batch_size]
        results.append(_detect_batch(model, canvases, unpadded, multi_label, options))
    return {name: np.concatenate([result[name] for result in results]) for name in results[0]}


def _is_float_batch(images):
    dtype = getattr(images, "dtype", None)
    return dtype is not None and len(images.shape) == 4 and tf.as_dtype(dtype).is_floating


def _canvases(pictures, image_size):
    """Pictures of any size -> canvases (B, H, W, 3) and the part of each that is picture, (B, 2) pixels."""
    fitted = [fit_to_canvas(read_picture(picture), image_size) for picture in pictures]
    return tf.stack([canvas for canvas, _ in fitted]), tf.stack([unpadded for _, unpadded in fitted])


def _detect_batch(model, canvases, unpadded, multi_label, options):
    generated = model.generate(canvases, **options)
    if multi_label:
        objects = parse_labels(generated["tokens"], model.vocabulary, generated["class_probabilities"])
    else:
        until_end = options.get("constrained", True) or options.get("stop_at_end", False)
        classes = generated["classes"], generated["class_scores"]
        objects = parse(generated["tokens"], model.vocabulary, *classes, until_end)
    boxes = objects["boxes"]  # (B, n, 4), of the canvas
    if unpadded is not None:
        boxes = tf.clip_by_value(boxes_from_canvas(boxes, unpadded, model.image_size), 0.0, 1.0)
    boxes, classes, scores = boxes.numpy(), objects["classes"].numpy(), objects["scores"].numpy()
    # Unused rows last, then by score; the sort is stable, so equals stay in the order they were read out.
    order = np.argsort(np.where(classes >= 0, -scores, np.inf), axis=-1, kind="stable")
    return {
        "boxes": np.take_along_axis(boxes, order[..., None], 1),
        "classes": np.take_along_axis(classes, order, 1),
        "scores": np.take_along_axis(scores, order, 1),
        "num_detections": objects["num_detections"].numpy(),
    }

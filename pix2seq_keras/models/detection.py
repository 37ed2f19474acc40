"""From images of any size to boxes on those images: the one graph from canvas to objects, and the loop over batches."""

import dataclasses

import numpy as np
import tensorflow as tf

from pix2seq_keras.boxes import boxes_from_canvas
from pix2seq_keras.data.images.read_image import read_image
from pix2seq_keras.data.transforms import fit_to_canvas
from pix2seq_keras.decoding import row_seeds
from pix2seq_keras.models.batching import batches, repays_compilation
from pix2seq_keras.models.ensemble import merge_detections, sample_seeds
from pix2seq_keras.models.flip_test import flip_back, with_flipped, with_flipped_seeds
from pix2seq_keras.models.generation import cache_lengths, cache_write, decode_encoded
from pix2seq_keras.models.inputs import checked_images, image_list
from pix2seq_keras.ranges import require_share
from pix2seq_keras.sequences import parse, parse_labels

OUTPUTS = ("boxes", "classes", "scores", "num_detections")


def detect_on_canvases(model, options, canvases, unpadded, seeds, encode=None, decode=None):
    """The one graph from canvas to objects: `detect`, every signature of a SavedModel and TFLite files run it.

    Args:
        model: `Pix2Seq`.
        options: `DecodingOptions`, complete.
        canvases: float32 tensor (B, H, W, 3) in [0, 1].
        unpadded: int32 tensor (B, 2), height and width in pixels of the part of each canvas that is image.
        seeds: int32 tensor (B,).
        encode: function canvases -> encoded (B, N, D), or None for `model.encode`.
        decode: function (encoded, seeds) -> dictionary of `DecodingLoop.result`, or None for what is fastest in
            TensorFlow's executor.

    Returns:
        Two dictionaries: the sequences, B·num_samples rows; and the objects of `parse_objects`, B rows, without
        `"places"` where several samples were merged.
    """
    num_samples, flip_test = options.num_samples, options.flip_test
    if decode is None:
        lengths, write = cache_lengths(options, False), cache_write(False)
        decode = lambda encoded, seeds: decode_encoded(model, options, encoded, seeds, lengths, write)
    if flip_test:
        canvases, seeds = with_flipped(canvases, unpadded), with_flipped_seeds(seeds)
    encoded = (encode or model.encode)(canvases)
    if num_samples > 1:
        each = num_samples // 2 if flip_test else num_samples
        encoded, seeds = tf.repeat(encoded, each, 0), sample_seeds(seeds, each)
        unpadded = tf.repeat(unpadded, num_samples, 0)
    sequences = decode(encoded, seeds)
    objects = parse_objects(model, options, sequences, unpadded)
    if flip_test:
        objects = flip_back(objects, num_samples)
    return sequences, merge_detections(objects, num_samples) if num_samples > 1 else objects


def parse_objects(model, options, sequences, unpadded):
    """Sequences as objects on the images.

    Args:
        model: `Pix2Seq`.
        options: `DecodingOptions`, complete.
        sequences: dictionary of `DecodingLoop.result`.
        unpadded: int32 tensor (B, 2), height and width in pixels of the part of each canvas that is image.

    Returns:
        Dictionary of tensors, sorted by score: `"boxes"` float32 (B, n, 4) `rel_yxyx` of the images, `"classes"`
        int32, `"scores"` float32 and `"places"` int32 (B, n), the places of the objects in the sequence; and
        `"num_detections"` int32 (B,).
    """
    tokens, coordinates = sequences["tokens"], sequences["coordinates"]
    if options.multi_label:
        objects = parse_labels(tokens, model.vocabulary, sequences["class_probabilities"], coordinates)
    else:
        until_end = options.constrained or options.stop_at_end
        classes = sequences["classes"], sequences["class_scores"]
        objects = parse(tokens, model.vocabulary, *classes, until_end, coordinates)
    boxes = boxes_from_canvas(objects["boxes"], unpadded, model.image_size)  # (B, n, 4)
    rows = {**objects, "boxes": tf.clip_by_value(boxes, 0.0, 1.0)}
    number = rows.pop("num_detections")
    # Unused rows last, then by score; the sort is stable, so equals stay in the order of the sequence.
    order = tf.argsort(tf.where(rows["classes"] >= 0, -rows["scores"], np.inf), axis=-1, stable=True)
    return {**{name: tf.gather(values, order, batch_dims=1) for name, values in rows.items()}, "num_detections": number}


def detector_options(options):
    """The options without the seed, which is an input of the graph: equal graphs are made once."""
    return dataclasses.replace(options, seed=0)


def make_detector(model, options, jit_compile):
    """`detect_on_canvases` as one graph, which serves every batch size.

    Args:
        model: `Pix2Seq`.
        options: `DecodingOptions`, complete.
        jit_compile: bool, whether XLA compiles the decoding, anew for each batch size.

    Returns:
        `tf.function`: canvases float32 (B, H, W, 3), unpadded int32 (B, 2), seeds int32 (B,) -> objects.
    """
    encoder, decoder = model.encoder_function(), model.decoder_function(options, jit_compile)
    no_prompt = lambda encoded: tf.zeros([tf.shape(encoded)[0], 0], tf.int32)
    decode = lambda encoded, seeds: decoder(encoded, seeds, no_prompt(encoded))
    signature = [
        tf.TensorSpec([None, *model.image_size, 3], tf.float32),
        tf.TensorSpec([None, 2], tf.int32),
        tf.TensorSpec([None], tf.int32),
    ]

    @tf.function(autograph=False, input_signature=signature)
    def detector(canvases, unpadded, seeds):
        _, objects = detect_on_canvases(model, options, canvases, unpadded, seeds, encoder, decode)
        return {name: objects[name] for name in OUTPUTS}

    return detector


def detect(model, images, options, batch_size, jit_compile, seed, threshold):
    """See `Pix2Seq.detect`; the options are complete."""
    require_share("threshold", threshold, optional=True)
    images = checked_images(model, images) if is_float_batch(images) else image_list(images)
    seeds = row_seeds(options.seed if seed is None else seed, len(images))
    results = list(detect_batches(model, images, options, batch_size, len(images), jit_compile, seeds))
    return keep_scores(threshold, {name: np.concatenate([result[name] for result in results]) for name in OUTPUTS})


def keep_scores(threshold, detections):
    """Drops the detections below a score.

    Args:
        threshold: float, the lowest score that is kept, or None to keep all.
        detections: dictionary of `Pix2Seq.detect`, of one image or a batch.

    Returns:
        Dictionary of the same shapes, whose rows of dropped detections are unused.
    """
    if threshold is None:
        return detections
    keep = (detections["classes"] >= 0) & (detections["scores"] >= threshold)
    return {
        "boxes": np.where(keep[..., None], detections["boxes"], np.float32(0)),
        "classes": np.where(keep, detections["classes"], np.int32(-1)),
        "scores": np.where(keep, detections["scores"], np.float32(0)),
        "num_detections": keep.sum(-1, dtype=np.int32),
    }


def detect_batches(model, images, options, batch_size, num_images, jit_compile, seeds):
    """The one loop over batches: cuts them, fills the last one, and decides on XLA.

    Args:
        model: `Pix2Seq`.
        images: iterable of what `read_image` takes, or float32 tensor (B, H, W, 3) of canvases.
        options: `DecodingOptions`, complete.
        batch_size: int ≥ 1.
        num_images: int or None, the number of images, where it is known.
        jit_compile: bool, whether XLA compiles the decoding; None where the length of the run decides.
        seeds: iterable of int, a seed for each image.

    Yields:
        For each batch a dictionary of NumPy arrays, see `Pix2Seq.detect`.
    """
    if jit_compile is None:
        jit_compile = repays_compilation(num_images, max(batch_size, 1), options.max_objects)
    detector = model.detector_function(options, bool(jit_compile))
    # XLA compiles for one batch size; a run of one short batch needs no filling.
    fill_last = bool(jit_compile) and (num_images is None or num_images > batch_size)
    to_canvas = None if tf.is_tensor(images) else lambda image: fit_to_canvas(read_image(image), model.image_size)
    for batch, count in batches(zip(images, seeds, strict=False), batch_size, fill_last):
        batch_images, batch_seeds = zip(*batch, strict=True)
        if to_canvas is None:
            canvases, unpadded = tf.stack(batch_images), tf.tile([model.image_size], [len(batch), 1])
        else:
            canvases, unpadded = map(tf.stack, zip(*map(to_canvas, batch_images), strict=True))
        objects = detector(canvases, unpadded, tf.constant(batch_seeds, tf.int32))
        yield {name: value.numpy()[:count] for name, value in objects.items()}


def is_float_batch(images):
    """Whether images are a batch of canvases (B, H, W, 3) in floating point: bool."""
    dtype = getattr(images, "dtype", None)
    return dtype is not None and len(images.shape) == 4 and tf.as_dtype(dtype).is_floating

"""What an exported model answers: the whole way from images to boxes as functions of the graph."""

import dataclasses

import tensorflow as tf

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.transforms import fit_to_canvas
from pix2seq_keras.decoding.samplers import nucleus
from pix2seq_keras.exporting import Signature, decode_image, refuse_unless
from pix2seq_keras.models.detection import found_objects
from pix2seq_keras.models.ensemble import agreed, seeds_of_readings
from pix2seq_keras.models.flip_test import mirrored_back, with_mirrored, with_seeds_for_mirrored
from pix2seq_keras.models.generation import Options, cache_write, read_out, stages
from pix2seq_keras.sequences import TOKENS_PER_OBJECT

# On its way to the canvas an image of the largest size takes a gigabyte.
IMAGES_AT_ONCE = 4


@dataclasses.dataclass(frozen=True)
class Reading:
    """How an exported model reads: what `generate` and `detect` are told at every call is told it once.

    Args:
        options: `Options` of the decoding.
        multi_label: bool, see `Pix2Seq.detect`.
        seed: int, of every row, where a request brings none.
        max_pixels: int, larger images are refused.
        readings: int, see `Pix2Seq.detect`.
        mirror: bool, see `Pix2Seq.detect`.
    """

    options: Options
    multi_label: bool
    seed: int
    max_pixels: int
    readings: int = 1
    mirror: bool = False


def make_signatures(model, reading, default="image_bytes", attend=False):
    """The signatures of a SavedModel; docs/deployment.md tells what goes in and out.

    Args:
        model: `Pix2Seq`.
        reading: `Reading`.
        default: `"image_bytes"` or `"tensor"`, what `serving_default` takes.
        attend: bool, whether there is a signature `attend`.

    Returns:
        Dictionary of name -> `Signature`.
    """
    labels, size = _Labels(categories_of(model)), model.image_size

    # Functions of their own, so that signatures share them.
    @tf.function(autograph=False)
    def canvases_of(image_bytes):
        return _each(lambda data: fit_to_canvas(decode_image(data, reading.max_pixels), size), image_bytes, size)

    @tf.function(autograph=False)
    def detections(canvases, unpadded):
        return labels.outputs(detect_canvases(model, reading, canvases, unpadded)[1])

    def of_bytes(image_bytes):
        return detections(*canvases_of(image_bytes))

    def of_tensor(input_tensor):
        shape = tf.shape(input_tensor)
        pixels = tf.cast(shape[1], tf.int64) * tf.cast(shape[2], tf.int64)
        # One number can stand for all in a message: a small one may bring an image of any size.
        few = refuse_unless(
            pixels <= reading.max_pixels, f"An image has {reading.max_pixels / 1e6:g} million pixels at most."
        )
        some = refuse_unless(tf.reduce_all(shape > 0), "An image must have pixels.")
        with tf.control_dependencies([few, some]):
            input_tensor = tf.identity(input_tensor)
        return detections(*_each(lambda image: fit_to_canvas(image, size), input_tensor, size))

    def sample(image_bytes, seed, top_p, temperature):
        canvases, unpadded = canvases_of(image_bytes)
        # The sampler is replaced only here, where its numbers are known: a name for it would be in vain.
        options = dataclasses.replace(reading.options, sampler=_sampler_of_rows(top_p, temperature))
        sampling = dataclasses.replace(reading, options=options, readings=1, mirror=False)
        generated, objects = detect_canvases(model, sampling, canvases, unpadded, seed)
        return {**labels.outputs(objects), "tokens": generated["tokens"], "log_probs": generated["log_probs"]}

    def attention(image_bytes):
        canvases, unpadded = canvases_of(image_bytes)
        generated, objects = detect_canvases(model, reading, canvases, unpadded)
        looked = _attention_of_objects(model, canvases, generated["tokens"])  # (B, n, 5, h, w)
        return {
            **labels.outputs(objects),
            "attention": tf.gather(looked, objects["places"], batch_dims=1),
            "image_extent": tf.cast(unpadded, tf.float32) / tf.constant(size, tf.float32),
        }

    encoded = tf.TensorSpec([None], tf.string, name="image_bytes")
    pixels = tf.TensorSpec([None, None, None, 3], tf.uint8, name="input_tensor")
    row = lambda name, dtype: tf.TensorSpec([None], dtype, name=name)
    by_bytes, by_tensor = Signature(of_bytes, (encoded,)), Signature(of_tensor, (pixels,))
    sampled = (encoded, row("seed", tf.int32), row("top_p", tf.float32), row("temperature", tf.float32))
    signatures = {
        "serving_default": by_tensor if default == "tensor" else by_bytes,
        "tensor": by_tensor,
        "sample": Signature(sample, sampled),
    }
    if default == "tensor":
        signatures["image_bytes"] = by_bytes
    if attend:
        signatures["attend"] = Signature(attention, (encoded,))
    return signatures


def detect_canvases(model, reading, canvases, unpadded, seeds=None, **how):
    """Canvases float32 (B, H, W, 3) -> what `generate` gives, and what `found_objects` makes of it.

    Args:
        model: `Pix2Seq`.
        reading: `Reading`.
        canvases: float32 tensor (B, H, W, 3) in [0, 1].
        unpadded: int32 tensor (B, 2), the part of each canvas that is image.
        seeds: int32 tensor (B,), or `None` for the reading's own.
        **how: of `generation.read_out`, in place of what is fastest in TensorFlow's executor.

    Returns:
        Two dictionaries; the objects have no "places" where several readings agree on them.
    """
    options, readings, mirror = reading.options, reading.readings, reading.mirror
    seeds = tf.fill([tf.shape(canvases)[0]], reading.seed) if seeds is None else seeds
    how = {"cache_lengths": stages(options, False), "cache_write": cache_write(False)} | how
    if mirror:
        canvases, seeds = with_mirrored(canvases, unpadded), with_seeds_for_mirrored(seeds)
    encoded = model.encode(canvases)
    if readings > 1:
        each = readings // 2 if mirror else readings
        encoded, seeds = tf.repeat(encoded, each, 0), seeds_of_readings(seeds, each)
        unpadded = tf.repeat(unpadded, readings, 0)
    generated = read_out(model, options, encoded, seeds, **how)
    until_end = options.constrained or options.stop_at_end
    objects = found_objects(model, generated, unpadded, reading.multi_label, until_end)
    if mirror:
        objects = mirrored_back(objects, readings)
    return generated, agreed(objects, readings) if readings > 1 else objects


def categories_of(model):
    """`Categories` of a model; where it has none, they are called "class 0", "class 1", …"""
    return model.categories or Categories.from_names(f"class {index}" for index in range(model.vocabulary.num_classes))


class _Labels:
    """Classes as a served model tells them: the data set's ids and names; 0 and "" where there is no object."""

    def __init__(self, categories):
        self.ids = tf.constant([0, *categories.ids], tf.float32)
        self.names = tf.constant(["", *categories.names])

    def outputs(self, objects):
        rows = objects["classes"] + 1  # (B, n)
        return {
            "detection_boxes": objects["boxes"],
            "detection_classes": tf.gather(self.ids, rows),
            "detection_names": tf.gather(self.names, rows),
            "detection_scores": objects["scores"],
            "num_detections": tf.cast(objects["num_detections"], tf.float32),
        }


def _each(fit, images, size):
    """Every image of a batch on its canvas: float32 (B, H, W, 3), and the part that is image, int32 (B, 2)."""
    kinds = (tf.TensorSpec([*size, 3], tf.float32), tf.TensorSpec([2], tf.int32))
    return tf.map_fn(fit, images, fn_output_signature=kinds, parallel_iterations=IMAGES_AT_ONCE)


def _sampler_of_rows(top_p, temperature):
    """A sampler whose p and temperature, float32 (B,), every row has of its own."""
    good = (top_p > 0) & (top_p <= 1) & (temperature > 0) & (temperature <= 1000)
    check = refuse_unless(tf.reduce_all(good), "top_p must lie in (0, 1] and temperature in (0, 1000].")
    with tf.control_dependencies([check]):
        top_p, temperature = tf.identity(top_p), tf.identity(temperature)
    p = tf.where(top_p < 1, top_p, 2.0)[:, None]  # all tokens have a mass of 1 only up to rounding
    return lambda logits, uniform: nucleus(logits / temperature[:, None], uniform, p)


def _attention_of_objects(model, canvases, tokens):
    """Cross-attention while each object's tokens were read, the mean over layers and heads: (B, n, 5, h, w)."""
    start = tf.fill([tf.shape(tokens)[0], 1], model.vocabulary.start_token)
    looked = model.attend(canvases, tf.concat([start, tokens[:, :-1]], 1))  # (B, layers, heads, L, N)
    shape = [tokens.shape[1] // TOKENS_PER_OBJECT, TOKENS_PER_OBJECT, *model.encoder.grid]
    return tf.reshape(tf.cast(tf.reduce_mean(looked, [1, 2]), tf.float32), [-1, *shape])

"""The signatures of an exported model: the whole way from encoded images to boxes, as functions of the graph."""

import dataclasses

import tensorflow as tf

from pix2seq_keras.data.images.graph_headers import refuse_unless
from pix2seq_keras.data.transforms import fit_to_canvas
from pix2seq_keras.decoding.token_sampling import nucleus
from pix2seq_keras.exporting.image_decoding.decode import decode_image
from pix2seq_keras.exporting.labels import ServedLabels
from pix2seq_keras.exporting.signature import Signature
from pix2seq_keras.models.detection import detect_on_canvases
from pix2seq_keras.sequences import TOKENS_PER_OBJECT

# On its way to the canvas an image of the largest size takes a gigabyte.
IMAGES_AT_ONCE = 4


def make_signatures(model, options, max_pixels, default="image_bytes", cross_attention=False):
    """The signatures of a SavedModel; docs/deployment.md describes their inputs and outputs.

    Args:
        model: `Pix2Seq`.
        options: `DecodingOptions`, complete.
        max_pixels: int, larger images are refused.
        default: str, `"image_bytes"` or `"tensor"`, what `serving_default` takes.
        cross_attention: bool, whether there is a signature `cross_attention`.

    Returns:
        Dictionary of name -> `Signature`.
    """
    labels, size = ServedLabels(model), model.image_size

    def detect(canvases, unpadded, options=options, seeds=None):
        seeds = tf.fill([tf.shape(canvases)[0]], options.seed) if seeds is None else seeds
        return detect_on_canvases(model, options, canvases, unpadded, seeds)

    # Functions of their own, so that signatures share them.
    @tf.function(autograph=False)
    def canvases_of(image_bytes):
        return _fit_each(lambda data: fit_to_canvas(decode_image(data, max_pixels), size), image_bytes, size)

    @tf.function(autograph=False)
    def detections(canvases, unpadded):
        return labels.outputs(detect(canvases, unpadded)[1])

    def of_bytes(image_bytes):
        return detections(*canvases_of(image_bytes))

    def of_tensor(input_tensor):
        shape = tf.shape(input_tensor)
        pixels = tf.cast(shape[1], tf.int64) * tf.cast(shape[2], tf.int64)
        # A tensor of one repeated number is small on the wire: its size in memory must be checked.
        few = refuse_unless(pixels <= max_pixels, f"An image must have at most {max_pixels / 1e6:g} million pixels.")
        some = refuse_unless(tf.reduce_all(shape > 0), "An image must have pixels.")
        with tf.control_dependencies([few, some]):
            input_tensor = tf.identity(input_tensor)
        return detections(*_fit_each(lambda image: fit_to_canvas(image, size), input_tensor, size))

    def sample(image_bytes, seed, top_p, temperature):
        canvases, unpadded = canvases_of(image_bytes)
        sampler = _sampler_of_rows(top_p, temperature)
        sampling = dataclasses.replace(options, sampler=sampler, num_samples=1, flip_test=False)
        sequences, objects = detect(canvases, unpadded, sampling, seed)
        return {**labels.outputs(objects), "tokens": sequences["tokens"], "log_probs": sequences["log_probs"]}

    def attention(image_bytes):
        canvases, unpadded = canvases_of(image_bytes)
        sequences, objects = detect(canvases, unpadded)
        weights = _attention_of_objects(model, canvases, sequences["tokens"])  # (B, n, 5, h, w)
        return {
            **labels.outputs(objects),
            "attention": tf.gather(weights, objects["places"], batch_dims=1),
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
    if cross_attention:
        signatures["cross_attention"] = Signature(attention, (encoded,))
    return signatures


def _fit_each(fit, images, size):
    """Every image of a batch on its canvas: float32 (B, H, W, 3), and the part that is image, int32 (B, 2)."""
    kinds = (tf.TensorSpec([*size, 3], tf.float32), tf.TensorSpec([2], tf.int32))
    return tf.map_fn(fit, images, fn_output_signature=kinds, parallel_iterations=IMAGES_AT_ONCE)


def _sampler_of_rows(top_p, temperature):
    """A sampler whose p and temperature, float32 (B,), differ from row to row."""
    good = (top_p > 0) & (top_p <= 1) & (temperature > 0) & (temperature <= 1000)
    check = refuse_unless(tf.reduce_all(good), "top_p must lie in (0, 1] and temperature in (0, 1000].")
    with tf.control_dependencies([check]):
        top_p, temperature = tf.identity(top_p), tf.identity(temperature)
    p = tf.where(top_p < 1, top_p, 2.0)[:, None]  # all tokens have a mass of 1 only up to rounding
    return lambda logits, uniform: nucleus(logits / temperature[:, None], uniform, p)


def _attention_of_objects(model, canvases, tokens):
    """Cross-attention at each object's tokens, the mean over layers and heads: (B, n, 5, h, w)."""
    start = tf.fill([tf.shape(tokens)[0], 1], model.vocabulary.start_token)
    weights = model.cross_attention(canvases, tf.concat([start, tokens[:, :-1]], 1))  # (B, layers, heads, L, N)
    shape = [tokens.shape[1] // TOKENS_PER_OBJECT, TOKENS_PER_OBJECT, *model.encoder.grid]
    return tf.reshape(tf.cast(tf.reduce_mean(weights, [1, 2]), tf.float32), [-1, *shape])

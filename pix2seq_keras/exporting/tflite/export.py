"""A Pix2Seq as one TFLite file for devices, which takes one canvas at a time."""

from pathlib import Path

import tensorflow as tf

from pix2seq_keras.atomic_files import made_folder_of, require_writable_folder
from pix2seq_keras.errors import InputError
from pix2seq_keras.exporting.description import describe
from pix2seq_keras.exporting.labels import ServedLabels, categories_of
from pix2seq_keras.exporting.signature import Signature
from pix2seq_keras.exporting.tflite.write import QUANTIZATIONS, convert, write_tflite
from pix2seq_keras.models.adapting import with_dtype
from pix2seq_keras.models.detection import detect_on_canvases
from pix2seq_keras.models.generation import cache_lengths, decode_encoded

PAD_VALUE = 77  # 0.3 · 255 in whole numbers


def export_tflite(model, filepath, options, preset=None, quantize="none"):
    """Writes a `.tflite` file.

    Args:
        model: `Pix2Seq`.
        filepath: path of the file.
        options: `DecodingOptions`, complete, with one sample.
        preset: str or None, a name that the description mentions.
        quantize: str, how weights are kept: `"none"`, `"float16"` or `"dynamic"` (8 bits).

    Returns:
        `pathlib.Path` of the file.

    Raises:
        InputError: if a parameter or an option is not valid for TFLite, or the file cannot be written.
    """
    path = Path(filepath)
    if quantize not in QUANTIZATIONS:
        raise InputError(f"`quantize` must be one of {', '.join(QUANTIZATIONS)}. Received: quantize={quantize!r}")
    if path.suffix != ".tflite" or path.is_dir():
        raise InputError(f"`filepath` must be a file whose name ends in .tflite. Received: {path}")
    with made_folder_of(path):
        require_writable_folder(path.parent)
        if model.compute_dtype != "float32":
            model = with_dtype(model, "float32")
        content = convert(make_signature(model, options), quantize)
        description = describe(model, options, preset, quantize=quantize, input=describe_input(model))
        write_tflite(path, content, description, categories_of(model).names)
    return path


def make_signature(model, options):
    """From one canvas to boxes on its image, in operators that TFLite has.

    Args:
        model: `Pix2Seq`, of float32.
        options: `DecodingOptions`, complete.

    Returns:
        `Signature`: `images` uint8 (1, H, W, 3) and `unpadded_size` int32 (1, 2) to `detection_boxes` float32
        (1, n, 4), `detection_classes` and `detection_scores` float32 (1, n) and `num_detections` float32 (1,).
    """
    labels = ServedLabels(model)
    # Prepared here and not in the graph, they are constants of the file: quantised, and not made anew at every call.
    weights, lengths = model.decoder.prepare(), cache_lengths(options, False)
    decode = lambda encoded, seeds: decode_encoded(model, options, encoded, seeds, lengths, "tflite", weights=weights)

    def detect(images, unpadded_size):
        canvases = tf.image.convert_image_dtype(images, tf.float32)
        unpadded = tf.clip_by_value(unpadded_size, 1, tf.constant(model.image_size))  # 0 would divide by 0
        seeds = tf.fill([tf.shape(canvases)[0]], options.seed)
        _, objects = detect_on_canvases(model, options, canvases, unpadded, seeds, decode=decode)
        return labels.outputs(objects, names=False)

    canvas = tf.TensorSpec([1, *model.image_size, 3], tf.uint8, name="images")
    return Signature(detect, (canvas, tf.TensorSpec([1, 2], tf.int32, name="unpadded_size")))


def describe_input(model):
    """How an image gets onto the canvas, for those who have only the file: dictionary for JSON."""
    height, width = model.image_size
    return {
        "images": {"dtype": "uint8", "shape": [1, height, width, 3], "channels": "RGB"},
        "unpadded_size": {"dtype": "int32", "shape": [1, 2], "holds": "height and width of the image on the canvas"},
        "scale": "min(H / height, W / width), the same for both sides",
        "rounding": "sides to the nearest pixel, at least 1",
        "filter": "bilinear, antialiased where it shrinks",
        "place": "top left",
        "pad_value": PAD_VALUE,
    }

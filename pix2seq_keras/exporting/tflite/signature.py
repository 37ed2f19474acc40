"""`Pix2Seq.export` to TFLite: one file for devices, which reads one canvas at a time."""

from pathlib import Path

import tensorflow as tf

from pix2seq_keras.atomic_files import require_writable_folder
from pix2seq_keras.errors import InputError
from pix2seq_keras.exporting import Signature
from pix2seq_keras.exporting import export as exports
from pix2seq_keras.exporting.saved_model.signatures import categories_of, detect_canvases
from pix2seq_keras.exporting.tflite.write import QUANTIZATIONS, convert, write_tflite
from pix2seq_keras.models.adapting import with_dtype

READING_OPTIONS = (
    "max_objects",
    "sampler",
    "constrained",
    "stop_at_end",
    "end_bias",
    "coordinate_window",
    "multi_label",
    "seed",
)
PAD_VALUE = 77  # 0.3 · 255 in whole numbers


def export_lite(model, filepath, quantize="none", preset=None, **how):
    """Writes a `.tflite` file; see `Pix2Seq.export`. Returns its path."""
    path = Path(filepath)
    if quantize not in QUANTIZATIONS:
        raise InputError(f"quantize must be one of {', '.join(QUANTIZATIONS)}. Received: quantize={quantize!r}")
    if others := [name for name in how if name not in READING_OPTIONS]:
        raise InputError(
            f"A .tflite file is not exported with {', '.join(others)}, but with quantize, preset, "
            f"{', '.join(READING_OPTIONS)}."
        )
    if path.suffix != ".tflite" or path.is_dir():
        raise InputError(f"The output is one file whose name ends in .tflite. Received: {path}")
    reading = exports.make_reading(model, **how)
    require_writable_folder(path.parent)
    if model.compute_dtype != "float32":
        model = with_dtype(model, "float32")
    content = convert(make_signature(model, reading), quantize)
    categories = categories_of(model)
    described = exports.description(model, reading, preset) | {"quantize": quantize, "input": input_of(model)}
    del described["max_pixels"]  # it is given canvases, and decodes nothing
    write_tflite(path, content, described, categories.names)
    return path


def make_signature(model, reading):
    """From one canvas to boxes on its image, in what TFLite has.

    Args:
        model: `Pix2Seq`, of float32.
        reading: `Reading`.

    Returns:
        `Signature`: `images` uint8 (1, H, W, 3) and `unpadded_size` int32 (1, 2) to `detection_boxes` float32
        (1, n, 4), `detection_classes` and `detection_scores` float32 (1, n) and `num_detections` float32 (1,).
    """
    ids = tf.constant([0, *categories_of(model).ids], tf.float32)
    # Made here and not in the graph, they are constants of the file: quantised, and not made anew at every call.
    how = {"weights": model.decoder.prepare(), "cache_write": "tflite"}

    def detect(images, unpadded_size):
        canvases = tf.image.convert_image_dtype(images, tf.float32)
        unpadded = tf.clip_by_value(unpadded_size, 1, tf.constant(model.image_size))  # 0 would divide by 0
        objects = detect_canvases(model, reading, canvases, unpadded, **how)[1]
        return {
            "detection_boxes": objects["boxes"],
            "detection_classes": tf.gather(ids, objects["classes"] + 1),
            "detection_scores": objects["scores"],
            "num_detections": tf.cast(objects["num_detections"], tf.float32),
        }

    canvas = tf.TensorSpec([1, *model.image_size, 3], tf.uint8, name="images")
    return Signature(detect, (canvas, tf.TensorSpec([1, 2], tf.int32, name="unpadded_size")))


def input_of(model):
    """How an image comes onto the canvas, for those who have nothing but the file: dictionary that goes into JSON."""
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

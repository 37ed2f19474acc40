"""A Pix2Seq as a SavedModel, for TensorFlow Serving."""

import io
import numbers
from pathlib import Path

import numpy as np
from PIL import Image

from pix2seq_keras.errors import InputError
from pix2seq_keras.exporting.description import describe
from pix2seq_keras.exporting.image_decoding.decode import DEFAULT_MAX_PIXELS
from pix2seq_keras.exporting.saved_model.signatures import make_signatures
from pix2seq_keras.exporting.saved_model.write import require_replaceable, version_folder, write_saved_model

DEFAULTS = ("image_bytes", "tensor")


def export_saved_model(
    model,
    filepath,
    options,
    preset=None,
    default="image_bytes",
    cross_attention=False,
    max_pixels=DEFAULT_MAX_PIXELS,
    version=None,
):
    """Writes a SavedModel.

    Args:
        model: `Pix2Seq`.
        filepath: path of the folder; with `version`, the folder of versions.
        options: `DecodingOptions`, complete.
        preset: str or None, a name that the description mentions.
        default: str, what `serving_default` takes: `"image_bytes"`, or `"tensor"` as TensorFlow's detection exporters
            do.
        cross_attention: bool, whether there is a signature `cross_attention`; requires one sample.
        max_pixels: int, larger images are refused.
        version: int or `"next"`, the folder below `filepath` that is written; None writes `filepath` itself.

    Returns:
        `pathlib.Path` of the folder that was written.

    Raises:
        InputError: if a parameter is not valid, or the folder cannot be written.
    """
    if default not in DEFAULTS:
        raise InputError(f"`default` must be {' or '.join(DEFAULTS)}. Received: default={default!r}")
    if isinstance(max_pixels, bool) or not isinstance(max_pixels, numbers.Integral) or not 0 < max_pixels < 2**31:
        raise InputError(f"`max_pixels` must be a positive whole number below 2³¹. Received: max_pixels={max_pixels!r}")
    if cross_attention and options.num_samples > 1:
        raise InputError(
            "`cross_attention=True` requires `num_samples=1`: it is the attention of one sequence. "
            f"Received: cross_attention={cross_attention}, num_samples={options.num_samples}. Leave one of them out."
        )
    if version is None:
        folder = Path(filepath)
        require_replaceable(folder)
    else:
        folder = version_folder(filepath, None if version == "next" else version)
    description = describe(model, options, preset, max_pixels=int(max_pixels))
    signatures = make_signatures(model, options, int(max_pixels), default, cross_attention)
    write_saved_model(folder, signatures, description, _warm_up(model, signatures), replace=version is None)
    return folder


def _warm_up(model, signatures):
    """A request of one row for every signature: list of (name, inputs)."""
    height, width = model.image_size
    pixels = np.full((height, width, 3), 128, np.uint8)
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "PNG")
    values = {
        "image_bytes": np.array([encoded.getvalue()], object),
        "input_tensor": pixels[None],
        "seed": np.zeros(1, np.int32),
        "top_p": np.array([0.4], np.float32),
        "temperature": np.ones(1, np.float32),
    }
    return [
        (name, {spec.name: values[spec.name] for spec in signature.inputs}) for name, signature in signatures.items()
    ]

"""`Pix2Seq.export`: which file comes out of which options."""

import io
import numbers
from pathlib import Path

import numpy as np
from PIL import Image

from pix2seq_keras.errors import InputError
from pix2seq_keras.exporting import (
    DEFAULT_MAX_PIXELS,
    require_replaceable,
    version_folder,
    write_saved_model,
)
from pix2seq_keras.exporting.saved_model.signatures import Reading, categories_of, make_signatures
from pix2seq_keras.models.ensemble import checked_readings
from pix2seq_keras.models.generation import make_options

FORMATS = ("tf_saved_model", "litert")
DEFAULTS = ("image_bytes", "tensor")
DESCRIPTION_FORMAT = "pix2seq_keras"


def export(model, filepath, format, **options):
    """See `Pix2Seq.export`."""
    if format not in FORMATS:
        raise InputError(f"A Pix2Seq is exported as {' or '.join(FORMATS)}. Received: format={format!r}")
    if format == "litert":
        from pix2seq_keras.exporting.tflite.signature import (
            export_lite,  # converting needs libraries that nothing else does
        )

        return export_lite(model, filepath, **options)
    return export_saved_model(model, filepath, **options)


def export_saved_model(
    model,
    filepath,
    default="image_bytes",
    attend=False,
    version=None,
    preset=None,
    max_pixels=DEFAULT_MAX_PIXELS,
    **how,
):
    """Writes a SavedModel; see `Pix2Seq.export`. Returns its path."""
    if default not in DEFAULTS:
        raise InputError(f"The default signature takes {' or '.join(DEFAULTS)}. Received: default={default!r}")
    if not isinstance(max_pixels, numbers.Integral) or not 0 < max_pixels < 2**31:
        raise InputError(f"max_pixels must be a positive whole number below 2³¹. Received: max_pixels={max_pixels!r}")
    reading = make_reading(model, max_pixels=int(max_pixels), **how)
    if attend and reading.readings > 1:
        raise InputError(
            "Where the model looked is told of one reading, not of what several agree on. "
            f"Received: attend={attend}, readings={reading.readings}. Leave out one of them."
        )
    if version is None:
        folder = Path(filepath)
        require_replaceable(folder)
    else:
        folder = version_folder(filepath, None if version == "next" else version)
    described = description(model, reading, preset)
    signatures = make_signatures(model, reading, default, attend)
    write_saved_model(folder, signatures, described, _warm_up(model, signatures), replace=version is None)
    return folder


def make_reading(model, multi_label=None, seed=0, max_pixels=DEFAULT_MAX_PIXELS, readings=1, mirror=False, **decoding):
    """Checked `Reading`; an `InputError` says what is wrong with the options. `decoding`: of `make_options`."""
    options = make_options(model, **decoding)
    if multi_label and not options.constrained:
        raise InputError(
            "Several labels an object need the grammar's probabilities. "
            f"Received: multi_label={multi_label}, constrained={options.constrained}. Leave out one of them."
        )
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or not -(2**31) <= seed < 2**31:
        raise InputError(f"A seed is a whole number of 32 bits. Received: seed={seed!r}")
    categories = categories_of(model)
    if any(int(np.float32(id_)) != id_ for id_ in categories.ids):
        raise InputError(
            "Served ids are float32, as TensorFlow's object detection exporters have them, which cannot tell numbers "
            f"beyond 2²⁴ apart. Received: the category ids {categories.ids}"
        )
    multi_label = options.constrained if multi_label is None else bool(multi_label)
    readings = checked_readings(readings, options.sampler, mirror)
    return Reading(options, multi_label, int(seed), max_pixels, readings, bool(mirror))


def description(model, reading, preset=None):
    """What an exported model says of itself: dictionary that goes into JSON."""
    from pix2seq_keras import __version__  # the package's top knows all rooms

    options = reading.options
    return {
        "format": DESCRIPTION_FORMAT,
        "format_version": 1,
        "package_version": __version__,
        "preset": preset,
        "image_size": list(model.image_size),
        "categories": categories_of(model).get_config(),
        "vocabulary": model.vocabulary.get_config(),
        "options": {
            "max_objects": options.max_objects,
            "sampler": repr(options.sampler),
            "constrained": options.constrained,
            "stop_at_end": options.stop_at_end,
            "end_bias": options.end_bias,
            "coordinate_window": options.coordinate_window,
            "multi_label": reading.multi_label,
            "readings": reading.readings,
            "mirror": reading.mirror,
            "seed": reading.seed,
        },
        "max_pixels": reading.max_pixels,
    }


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

"""What an exported model says about itself, and what of it can no longer be chosen."""

import dataclasses
import json

import numpy as np

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.images.read_image import MAX_PIXELS
from pix2seq_keras.decoding import samplers
from pix2seq_keras.errors import InputError
from pix2seq_keras.vocabulary import Vocabulary

FORMAT, FORMAT_VERSION = "pix2seq_keras", 1


@dataclasses.dataclass(frozen=True)
class Description:
    """The description inside an exported model.

    Args:
        categories: `Categories`: served ids to classes.
        options: dictionary, the options of `Pix2Seq.detect` that were fixed at export, `"max_objects"` among them.
        image_size: (H, W), the canvas.
        vocabulary: `Vocabulary`, or `None` where this version of the package cannot read it.
        max_pixels: int, the most pixels of an image that the model decodes.
        preset: str or `None`, the preset it was made from.
    """

    categories: Categories
    options: dict
    image_size: tuple[int, int]
    vocabulary: Vocabulary | None = None
    max_pixels: int = MAX_PIXELS
    preset: str | None = None

    @property
    def rows(self):
        """Rows of its answers for one image, used or not: int."""
        return self.options["max_objects"] * self.options.get("readings", 1)


def parse_description(text, where):
    """Reads and checks a description.

    Args:
        text: str or bytes, JSON.
        where: str, what messages call the model.

    Returns:
        `Description`.

    Raises:
        InputError: if it is none, or of a later format.
    """
    try:
        values = json.loads(text)
        if values["format"] != FORMAT:
            raise ValueError(f"its format is {values['format']!r}")
        version = int(values["format_version"])
        if version > FORMAT_VERSION:
            raise InputError(
                f"{where} was exported by a later version of this package ({values.get('package_version')}, format "
                f"{version}; this one reads {FORMAT_VERSION}): install that version."
            )
        return Description(
            categories=Categories.from_config(values["categories"]),
            options=_options(values["options"]),
            image_size=tuple(int(side) for side in values["image_size"]),
            vocabulary=_vocabulary(values.get("vocabulary")),
            max_pixels=int(values.get("max_pixels") or MAX_PIXELS),
            preset=values.get("preset"),
        )
    except InputError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else error
        raise InputError(f"{where} does not describe itself as a model of `pix2seq export`: {reason}.") from error


def _options(values):
    """The options of a description as they are compared; earlier ones know of one reading only."""
    options = {"readings": 1, "mirror": False} | values
    return {**options, **{name: int(options[name]) for name in ("max_objects", "readings")}}


def require_exported_options(description, options, where):
    """Refuses options that differ from those an exported model was made with; equal ones and `None` pass.

    Args:
        description: `Description`.
        options: dictionary, of `Pix2Seq.detect`.
        where: str, what messages call the model.

    Raises:
        InputError: naming the option, what it is in the exported model, and what was asked for.
    """
    for name, value in options.items():
        if value is None or (name == "jit_compile" and not value):
            continue
        if name not in description.options:
            raise InputError(
                f"{where} is an exported model, which takes no option {name}. Received: {name}={value!r}. What it was "
                f"exported with: {_listed(description.options)}."
            )
        fixed = description.options[name]
        if not _same(name, value, fixed):
            raise InputError(
                f"{where} was exported with {name}={fixed}: export it again to have another. "
                f"Received: {name}={value!r}."
            )


def _same(name, value, fixed):
    if name == "sampler":
        return _sampler_text(value) == _sampler_text(fixed)
    booleans = [isinstance(one, bool | np.bool_) for one in (value, fixed)]
    if any(booleans):
        return all(booleans) and bool(value) == bool(fixed)
    return np.ndim(value) == 0 and value == fixed


def _sampler_text(sampler):
    """A name means the sampler with its defaults, in the description as in `detect`."""
    known = isinstance(sampler, str) and sampler in samplers.SAMPLERS
    return repr(samplers.get(sampler)) if known else str(sampler)


def _vocabulary(config):
    try:
        return Vocabulary.from_config(config)
    except Exception:  # only images and categories are needed to detect: a later layout is no reason to fail
        return None


def _listed(options):
    return ", ".join(f"{name}={value}" for name, value in options.items())

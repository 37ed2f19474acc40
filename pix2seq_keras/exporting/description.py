"""The description inside an exported model: written and read here."""

import ast
import dataclasses

from pix2seq_keras.canvas import canvas_size
from pix2seq_keras.categories import Categories
from pix2seq_keras.data.images.read_image import MAX_PIXELS
from pix2seq_keras.data.sources.short_repr import short_repr
from pix2seq_keras.decoding import samplers
from pix2seq_keras.decoding.options import DecodingOptions
from pix2seq_keras.errors import InputError
from pix2seq_keras.exporting.labels import categories_of
from pix2seq_keras.sequences.options import TOKENS_PER_OBJECT
from pix2seq_keras.untrusted import MAX_BYTES, parse_json
from pix2seq_keras.vocabulary import Vocabulary

# The file's name, among a SavedModel's assets and in the zip behind a TFLite model.
FILE_NAME = "pix2seq.json"
FORMAT, FORMAT_VERSION = "pix2seq_keras", 2
_MAX_REASON = 300  # characters
# What format 1 (version 0.1.0) called the samplers and two of the options.
_SAMPLERS_1 = {"Greedy": "greedy", "TopK": "top_k", "TopP": "top_p", "BeamSearch": "beam_search"}
_OPTIONS_1 = {"readings": "num_samples", "mirror": "flip_test"}


class _LaterFormatError(InputError):
    """The description is of a format that is not known yet."""


@dataclasses.dataclass(frozen=True)
class Description:
    """What an exported model says about itself.

    Args:
        categories: `Categories`, served ids to classes.
        options: `DecodingOptions`, complete, fixed at export.
        image_size: (H, W), the canvas.
        vocabulary: `Vocabulary`, or None where this version of the package cannot read it.
        max_pixels: int, the most pixels of an image that the model decodes.
        preset: str or None, the preset it was made from.
    """

    categories: Categories
    options: DecodingOptions
    image_size: tuple[int, int]
    vocabulary: Vocabulary | None = None
    max_pixels: int = MAX_PIXELS
    preset: str | None = None

    @property
    def rows(self):
        """int, rows of an answer for one image, used or not."""
        return self.options.max_objects * self.options.num_samples


def describe(model, options, preset=None, **more):
    """The description of a model that is being exported.

    Args:
        model: `Pix2Seq`.
        options: `DecodingOptions`, complete.
        preset: str or None.
        **more: JSON values that join it, such as `max_pixels`.

    Returns:
        Dictionary for JSON.
    """
    from pix2seq_keras import __version__  # the top of the package

    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "package_version": __version__,
        "preset": preset,
        "image_size": list(model.image_size),
        "categories": categories_of(model).get_config(),
        "vocabulary": model.vocabulary.get_config(),
        "options": options.to_dict(),
        **more,
    }


def parse_description(text, where):
    """Reads and checks a description, of format 2 or 1.

    Args:
        text: str or bytes, JSON.
        where: str, what messages call the model.

    Returns:
        `Description`.

    Raises:
        InputError: if it is not a description, or of a later format.
    """
    try:
        values = parse_json(_bounded(text), "it")
        if values["format"] != FORMAT:
            raise ValueError(f"its format is {short_repr(values['format'])}")
        version = _integer(values, "format_version", 2**31)
        if version > FORMAT_VERSION:
            package = values.get("package_version")
            raise _LaterFormatError(
                f"{where} was exported by a later version of this package ({package!s:.40}, format "
                f"{version}; this version reads formats up to {FORMAT_VERSION}): install that version."
            )
        options = values["options"] if version > 1 else _options_of_format_1(values["options"])
        categories = Categories.from_config(values["categories"])
        return Description(
            categories=categories,
            options=_complete(DecodingOptions.from_dict(options)),
            image_size=canvas_size(tuple(values["image_size"])),
            vocabulary=_vocabulary(values.get("vocabulary"), len(categories)),
            max_pixels=_integer(values, "max_pixels", 2**31, MAX_PIXELS),
            preset=_text(values, "preset"),
        )
    except _LaterFormatError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as error:  # an InputError is a ValueError
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)[:_MAX_REASON].rstrip(".")
        raise InputError(f"{where} does not describe itself as a model of `pix2seq export`: {reason}.") from error


def require_exported_options(description, overrides, where):
    """Refuses options that differ from those an exported model was made with; equal ones and None pass.

    Args:
        description: `Description`.
        overrides: dictionary, fields of `DecodingOptions`.
        where: str, what messages call the model.

    Raises:
        InputError: naming the option, its value in the exported model, and the value that was asked for.
    """
    exported = description.options.to_dict()
    for name, value in overrides.items():
        if value is None:
            continue
        if name not in exported:
            raise InputError(
                f"{where} is an exported model: its options are {_listed(exported)}. Received: {name}={value!r}"
            )
        wanted = samplers.to_dict(samplers.get(value)) if name == "sampler" else value
        if not _equal(wanted, exported[name]):
            raise InputError(
                f"{where} was exported with {name}={exported[name]}: export it again to change that. "
                f"Received: {name}={value!r}"
            )


def _equal(value, exported):
    try:
        # True and 1 are different options.
        return type(value).__name__.startswith("bool") == isinstance(exported, bool) and bool(value == exported)
    except ValueError:  # an array
        return False


def _bounded(text):
    size = len(text) if isinstance(text, str | bytes) else 0
    if not 0 < size <= MAX_BYTES:
        raise ValueError(f"it must be text of 1 to {MAX_BYTES} bytes, and is {type(text).__name__} of {size}")
    return text


def _integer(values, name, most, default=None):
    """A whole number from 1 to `most`; null and 0 are the default, if there is one."""
    value = values[name] if default is None else values.get(name) or default
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
        raise ValueError(f"its {name} must be a whole number from 1 to {most}, and is {short_repr(value)}")
    return value


def _text(values, name):
    value = values.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"its {name} must be text, and is {short_repr(value)}")
    return value


def _complete(options):
    if options.max_objects is None:
        raise ValueError("its options have no max_objects")
    return options.complete(max_length=TOKENS_PER_OBJECT * options.max_objects)


def _options_of_format_1(values):
    """Options as version 0.1.0 wrote them: samplers as Python wrote them, such as "TopP(p=0.4, temperature=1.0)"."""
    values = {_OPTIONS_1.get(name, name): value for name, value in values.items()}
    if "sampler" in values:
        values["sampler"] = _sampler_of_format_1(values["sampler"])
    return values


def _sampler_of_format_1(text):
    try:
        if len(text) > _MAX_REASON:  # nested deeper than Python's parser can go, perhaps
            raise ValueError
        call = ast.parse(text, mode="eval").body
        name = _SAMPLERS_1[call.func.id]
        return {"name": name, **{one.arg: ast.literal_eval(one.value) for one in call.keywords}}
    except (SyntaxError, ValueError, KeyError, AttributeError, TypeError, RecursionError, MemoryError):
        return {"name": "custom", "text": str(text)[:_MAX_REASON]}


def _vocabulary(config, num_classes):
    try:
        vocabulary = Vocabulary.from_config(config)
        return vocabulary if vocabulary.num_classes == num_classes else None
    except Exception:  # detecting needs images and categories only: a later layout is no reason to fail
        return None


def _listed(options):
    return ", ".join(f"{name}={value}" for name, value in options.items())

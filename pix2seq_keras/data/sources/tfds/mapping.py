"""Which features of a TFDS data set are the image and its objects, if they have other names than in `coco`."""

from dataclasses import dataclass, fields

import numpy as np
import tensorflow_datasets as tfds

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.sources.short_repr import quote_all
from pix2seq_keras.errors import InputError

_CROWDS = ("is_crowd", "is_difficult")  # like crowds, VOC's difficult objects are no targets and not evaluated
_BOX_FORMATS = ("yxyx", "xyxy", "xywh")


@dataclass(frozen=True)
class TfdsMapping:
    """The part after the "?" of `tfds:NAME?objects=faces&class=face`.

    Args:
        image: str, feature of the image. Defaults to "image".
        id: str, feature of its id; if there is none, ids are places, counted from 1. Defaults to "image/id".
        objects: str, feature of the objects; "." if their features are beside that of the image. Defaults to
            "objects".
        bbox: str, feature of their boxes, within `objects`. Defaults to "bbox".
        label: str, feature of their classes, a `ClassLabel` within `objects`. Defaults to "label".
        is_crowd: str, feature of crowds, within `objects`. Defaults to "is_crowd", or else "is_difficult", if the data
            set has it.
        area: str, feature of their areas in pixels², within `objects`; if there is none, areas are those of the boxes.
            Defaults to "area".
        format: str, "yxyx", "xyxy" or "xywh" in pixels, or relative to the image with the prefix "rel_". Defaults to
            the format that the data set declares, or else "rel_yxyx".
        class_name: str, the single class of all objects, in place of labels; written as `class=face`. Defaults to "".

    Example:
        >>> parse_mapping("objects=faces&class=face")
    """

    image: str = "image"
    id: str = "image/id"
    objects: str = "objects"
    bbox: str = "bbox"
    label: str = "label"
    is_crowd: str = ""
    area: str = "area"
    format: str = ""
    class_name: str = ""


@dataclass(frozen=True)
class TfdsFields:
    """The features of a data set as paths into a record: tuples of names, or None if there is no such feature.

    Args:
        image: tuple of str, the image.
        bbox: tuple of str, the boxes of its objects.
        label: tuple of str or None, their classes.
        is_crowd: tuple of str or None, which of them are crowds.
        area: tuple of str or None, their areas.
        id: tuple of str or None, the id of the image.
        box_format: str, "yxyx", "xyxy" or "xywh", with the prefix "rel_" if relative to the image.
        box_is_integer: bool, whether the boxes are saved as integers.
        categories: `Categories`.
    """

    image: tuple[str, ...]
    bbox: tuple[str, ...]
    label: tuple[str, ...] | None
    is_crowd: tuple[str, ...] | None
    area: tuple[str, ...] | None
    id: tuple[str, ...] | None
    box_format: str
    box_is_integer: bool
    categories: Categories


def parse_mapping(text):
    """Parses `KEY=FEATURE&KEY=FEATURE…`.

    Args:
        text: str, as above; it may be empty.

    Returns:
        `TfdsMapping`.

    Raises:
        InputError: if it has another form, or a key is unknown.
    """
    known = {"class" if field.name == "class_name" else field.name: field.name for field in fields(TfdsMapping)}
    values = {}
    for pair in filter(None, text.split("&")):
        key, equals, value = pair.partition("=")
        if key not in known or not equals or not value:
            raise InputError(f"A mapping must be KEY=FEATURE&…, with KEY one of {quote_all(known)}. Received: {pair!r}")
        values[known[key]] = value
    return TfdsMapping(**values)


def find_fields(features, mapping, name):
    """Finds the features that a mapping names, and checks their types.

    Args:
        features: `builder.info.features`.
        mapping: `TfdsMapping`, the features to find.
        name: str, of the data set, for messages.

    Returns:
        `TfdsFields`.

    Raises:
        InputError: if they do not make a detection data set.
    """
    needs = (
        f"A detection data set must have the features {mapping.image!r} and {mapping.objects!r} with "
        f"{mapping.bbox!r} and {mapping.label!r}."
    )
    other = f"If they have other names, write 'tfds:{name.partition(':')[2]}?objects=…&bbox=…&label=…'."
    present = sorted(features) if isinstance(features, tfds.features.FeaturesDict) else []
    image = _path(features, mapping.image)
    if image is None or not isinstance(_feature(features, image), tfds.features.Image):
        raise InputError(f"{needs} Received: {quote_all(present) or type(features).__name__} of {name!r}. {other}")
    if mapping.objects == ".":
        prefix, inside = (), features
    else:
        prefix = _path(features, mapping.objects)
        if prefix is None:
            raise InputError(f"{needs} Received: {quote_all(present)} of {name!r}. {other}")
        inside = getattr(_feature(features, prefix), "feature", {})

    def field(feature_name):
        path = _path(inside, feature_name) if isinstance(inside, tfds.features.FeaturesDict) else None
        return None if path is None else (*prefix, *path)

    bbox, label = field(mapping.bbox), field(mapping.label)
    if bbox is None or (label is None and not mapping.class_name):
        there = sorted(inside) if isinstance(inside, tfds.features.FeaturesDict) else []
        received = f"{mapping.objects!r} of {name!r} with {quote_all(there) or 'no features'}"
        raise InputError(f"{needs} Received: {received}. {other}")
    if mapping.is_crowd and field(mapping.is_crowd) is None:
        raise InputError(
            f"`is_crowd` must be a feature of {mapping.objects!r} of {name!r}. Received: is_crowd={mapping.is_crowd!r}"
        )
    crowds = [mapping.is_crowd] if mapping.is_crowd else _CROWDS
    identifier = _path(features, mapping.id)
    if identifier is not None and not np.issubdtype(_feature(features, identifier).np_dtype, np.integer):
        identifier = None
    return TfdsFields(
        image=image,
        bbox=bbox,
        label=None if mapping.class_name else label,
        is_crowd=next((path for crowd in crowds if (path := field(crowd)) is not None), None),
        area=field(mapping.area),
        id=identifier,
        box_format=_box_format(_element(features, bbox), mapping.format, name),
        box_is_integer=bool(np.issubdtype(_element(features, bbox).np_dtype, np.integer)),
        categories=_categories(_element(features, label) if label else None, mapping, name),
    )


def look_up(record, path):
    """Takes the value at a path.

    Args:
        record: dict, a decoded record.
        path: tuple of str.

    Returns:
        The value.
    """
    for key in path:
        record = record[key]
    return record


def _path(features, name):
    """The path of "a/b/c", where "/" separates features or is part of a name, as in "image/id"."""
    if not isinstance(features, tfds.features.FeaturesDict):
        return None
    if name in features:
        return (name,)
    words = name.split("/")
    for count in range(1, len(words)):
        head = "/".join(words[:count])
        inner = features.get(head) if hasattr(features, "get") else None
        inner = features[head] if inner is None and head in features else inner
        rest = _path(inner, "/".join(words[count:]))
        if rest is not None:
            return (head, *rest)
    return None


def _feature(features, path):
    for key in path:
        features = getattr(features, "feature", features)[key]
    return features


def _element(features, path):
    """The feature of one object, if the feature is a sequence of them."""
    feature = _feature(features, path)
    return getattr(feature, "feature", feature)


def _box_format(feature, requested, name):
    declared = getattr(feature, "bbox_format", None)
    box_format = requested or (declared.value.lower() if declared is not None else "rel_yxyx")
    if box_format.removeprefix("rel_") not in _BOX_FORMATS:
        raise InputError(
            f"`format` must be one of {quote_all(_BOX_FORMATS)}, with the prefix 'rel_' if relative to the image. "
            f"Received: {box_format!r} of {name!r}"
        )
    return box_format


def _categories(feature, mapping, name):
    if mapping.class_name:
        return Categories.from_names([mapping.class_name])
    if not isinstance(feature, tfds.features.ClassLabel) or feature.names is None:
        raise InputError(f"`label` must be a ClassLabel with names. Received: {mapping.label!r} of {name!r}")
    return Categories.from_names(feature.names, first_id=1)

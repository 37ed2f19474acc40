"""Which features of a TFDS data set are the image and its objects, where they have other names than in `coco`."""

from dataclasses import dataclass, fields

import numpy as np
import tensorflow_datasets as tfds

from pix2seq_keras.categories import Categories
from pix2seq_keras.errors import InputError

_CROWDS = ("is_crowd", "is_difficult")  # VOC's difficult objects are neither trained on nor counted, like crowds
# Which of the four numbers are ymin, xmin, ymax, xmax; xywh has sides in place of the far edges.
_ORDERS = {"yxyx": (0, 1, 2, 3), "xyxy": (1, 0, 3, 2), "xywh": (1, 0, 3, 2)}


@dataclass(frozen=True)
class TfdsMapping:
    """What stands behind the "?" of `tfds:NAME?objects=faces&class=face`.

    Args:
        image: feature of the image.
        id: feature of its number; where there is none, places are counted from 1.
        objects: feature of the objects; "." if their features stand beside the image's.
        bbox: their boxes, within `objects`.
        label: their classes, a `ClassLabel` within `objects`.
        is_crowd: which of them are crowds, within `objects`. Defaults to "is_crowd", or else "is_difficult", where the
            data set has it.
        area: their areas in pixels², within `objects`; where there are none, those of the boxes.
        format: "yxyx", "xyxy" or "xywh" in pixels, or relative to the image with "rel_" in front. Defaults to what
            the data set says of itself, or else "rel_yxyx".
        class_name: the one class all objects have, in place of labels; it is written `class=face`.

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
    """The features found, as paths into a record, None for what there is not.

    Args:
        image, bbox, label, is_crowd, area, id: names from feature to feature.
        box_format: a key of the formats, with "rel_" in front or not.
        categories: the classes.
    """

    image: tuple[str, ...]
    bbox: tuple[str, ...]
    label: tuple[str, ...] | None
    is_crowd: tuple[str, ...] | None
    area: tuple[str, ...] | None
    id: tuple[str, ...] | None
    box_format: str
    categories: Categories


def parse_mapping(text):
    """Reads `FEATURE=NAME&FEATURE=NAME…`.

    Args:
        text: str, as above, or "".

    Returns:
        A `TfdsMapping`.

    Raises:
        InputError: naming the word that is none of its fields.
    """
    known = {"class" if field.name == "class_name" else field.name: field.name for field in fields(TfdsMapping)}
    values = {}
    for pair in filter(None, text.split("&")):
        key, equals, value = pair.partition("=")
        if key not in known or not equals or not value:
            raise InputError(f"A mapping of features is written KEY=FEATURE&…, KEY one of {_listed(known)}: {pair!r}")
        values[known[key]] = value
    return TfdsMapping(**values)


def find_fields(features, mapping, name):
    """Finds the features that a mapping names, and checks that they are of the kind needed.

    Args:
        features: `builder.info.features`.
        mapping: `Tfdsdict`, which are wanted.
        name: str, of the data set, for messages.

    Returns:
        The `TfdsFields`.

    Raises:
        InputError: if a detection source cannot be made of them.
    """
    needs = (
        f"A detection data set needs the features {mapping.image!r} and {mapping.objects!r} with {mapping.bbox!r} "
        f"and {mapping.label!r}"
    )
    other = f"Where they have other names, say so: 'tfds:{name.partition(':')[2]}?objects=…&bbox=…&label=…'."
    present = sorted(features) if isinstance(features, tfds.features.FeaturesDict) else []
    image = _path(features, mapping.image)
    if image is None or not isinstance(_feature(features, image), tfds.features.Image):
        raise InputError(f"{needs}; {name!r} has {_listed(present) or type(features).__name__}. {other}")
    if mapping.objects == ".":
        prefix, inside = (), features
    else:
        prefix = _path(features, mapping.objects)
        if prefix is None:
            raise InputError(f"{needs}; {name!r} has {_listed(present)}. {other}")
        inside = getattr(_feature(features, prefix), "feature", {})

    def field(wanted):
        path = _path(inside, wanted) if isinstance(inside, tfds.features.FeaturesDict) else None
        return None if path is None else (*prefix, *path)

    bbox, label = field(mapping.bbox), field(mapping.label)
    if bbox is None or (label is None and not mapping.class_name):
        there = sorted(inside) if isinstance(inside, tfds.features.FeaturesDict) else []
        raise InputError(f"{needs}; the {mapping.objects!r} of {name!r} have {_listed(there) or 'nothing'}. {other}")
    if mapping.is_crowd and field(mapping.is_crowd) is None:
        raise InputError(f"The {mapping.objects!r} of {name!r} have no {mapping.is_crowd!r}.")
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
        box_format=_format(_element(features, bbox), mapping.format, name),
        categories=_categories(_element(features, label) if label else None, mapping, name),
    )


def look_up(record, path):
    """What a decoded record has at a path."""
    for key in path:
        record = record[key]
    return record


def to_rel_yxyx(boxes, box_format, height, width):
    """Boxes of any of the formats as float32 `(n, 4)` rel_yxyx.

    Args:
        boxes: `(n, 4)`.
        box_format: str, "yxyx", "xyxy" or "xywh", with "rel_" in front where they are not in pixels.
        height: int, of the image, in pixels.
        width: likewise.
    """
    order = _ORDERS[box_format.removeprefix("rel_")]
    boxes = np.asarray(boxes, np.float32).reshape(-1, 4)[:, list(order)]  # (n, 4)
    if box_format.endswith("xywh"):
        boxes = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=-1)
    if not box_format.startswith("rel_"):
        boxes = boxes / np.array([height, width, height, width], np.float32)
    return boxes


def _path(features, name):
    """The path of "a/b/c": "/" may lead into a feature or be part of a name, as in "image/id"."""
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
    """The feature of one object, where the feature is a sequence of them."""
    feature = _feature(features, path)
    return getattr(feature, "feature", feature)


def _format(feature, wanted, name):
    declared = getattr(feature, "bbox_format", None)
    box_format = wanted or (declared.value.lower() if declared is not None else "rel_yxyx")
    if box_format.removeprefix("rel_") not in _ORDERS:
        raise InputError(
            f"The boxes of {name!r} must be in one of the formats {_listed(_ORDERS)}, in pixels, or with 'rel_' in "
            f"front. Received: {box_format!r}"
        )
    return box_format


def _categories(feature, mapping, name):
    if mapping.class_name:
        return Categories.from_names([mapping.class_name])
    if not isinstance(feature, tfds.features.ClassLabel) or feature.names is None:
        raise InputError(f"The labels of {name!r} have no names: {mapping.label!r} must be a ClassLabel.")
    return Categories.from_names(feature.names, first_id=1)


def _listed(names):
    return ", ".join(repr(name) for name in names)

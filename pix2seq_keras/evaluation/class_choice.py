"""Which classes an evaluation is about, and which of the detector's is which of the data's: matched by name."""

import numpy as np

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.sources.class_matching import unknown_classes, with_classes
from pix2seq_keras.errors import InputError

CLASSES = ("all", "common")


def choose_classes(detector, source, classes):
    """Makes the source that is evaluated.

    Args:
        detector: object with `categories`, see `evaluate_source`.
        source: `Source`.
        classes: str, "all" for the source itself, "common" for only those of its classes that the detector knows.

    Returns:
        `Source`. Objects of other classes are left out, but not their images.

    Raises:
        InputError: if `classes` is another value, the detector's classes have no names, or none is common.
    """
    if classes not in CLASSES:
        raise InputError(f"`classes` must be 'all' or 'common'. Received: classes={classes!r}")
    if classes == "all":
        return source
    detector_categories = getattr(detector, "categories", None)
    if detector_categories is None:
        raise InputError(
            "`classes` must be 'all' for a detector without category names. Received: classes='common'. Give the "
            "detector its categories (`pix2seq convert --categories`)."
        )
    known, own = set(detector_categories.names), source.categories
    common = [(id_, name) for id_, name in zip(own.ids, own.names, strict=True) if name in known]
    if not common:
        raise InputError(
            "The detector and the data must have a common class for --classes common. Received: detector categories "
            f"{_shortened(list(detector_categories.names))}, data categories {_shortened(list(own.names))}. "
            "Categories are matched by name."
        )
    return with_classes(source, Categories(*zip(*common, strict=True)))


def class_mapping(detector, source, count):
    """Finds which class of the data each class of the detector is.

    Args:
        detector: object with `categories` or `vocabulary`, see `evaluate_source`.
        source: `Source`.
        count: int, the number of images that are evaluated.

    Returns:
        int array (K,), from the detector's classes to the source's, -1 where the source lacks one; None if both are
        equal.

    Raises:
        InputError: if the images have objects of a class that the detector does not know.
    """
    detector_categories = getattr(detector, "categories", None)
    if detector_categories is None:
        known = getattr(getattr(detector, "vocabulary", None), "num_classes", len(source.categories))
        if known != len(source.categories):
            raise InputError(
                "A detector without category names must have as many classes as the data. "
                f"Received: {known} classes in the detector, {len(source.categories)} in the data. "
                "Give the detector its categories (`pix2seq convert --categories`)."
            )
        return None
    known, wanted = list(detector_categories.names), list(source.categories.names)
    if known == wanted:
        return None
    unknown = unknown_classes(source, known, count)
    if unknown or not set(known) & set(wanted):
        raise InputError(
            "The detector must know all categories of the objects in the data. "
            f"Received: detector categories {_shortened(known)}, data categories {_shortened(wanted)}, objects of "
            f"{_shortened(unknown)} that the detector does not know. Use --classes common (in Python "
            "classes='common') to evaluate on the categories that both have; they are matched by name."
        )
    return np.array([wanted.index(name) if name in wanted else -1 for name in known])


def map_classes(classes, to_source_class):
    """Maps the detector's classes to the source's.

    Args:
        classes: int array (N,).
        to_source_class: int array (K,) of `class_mapping`, or None.

    Returns:
        int array (N,); padding and classes that the source lacks become -1.

    Raises:
        InputError: if a class is not one of the detector's.
    """
    if to_source_class is None:
        return classes
    if classes.size and classes.max() >= len(to_source_class):
        raise InputError(
            f"A detected class must be below the detector's number of categories, {len(to_source_class)}. "
            f"Received: class {classes.max()}."
        )
    return np.where(classes >= 0, to_source_class[np.maximum(classes, 0)], -1)


def _shortened(names, shown=6):
    listed = ", ".join(repr(name) for name in names[:shown])
    return f"[{listed}, … {len(names)} in all]" if len(names) > shown else f"[{listed}]"

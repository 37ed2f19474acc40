"""Sources whose classes are a subset of others, or in another order: matched by name."""

from dataclasses import replace

import numpy as np

from pix2seq_keras.data.images.image_error import ImageError


def unknown_classes(source, known, count=None):
    """Finds the classes that objects of a source have and that are not known. A class without objects does no harm.

    Args:
        source: `Source`. Its objects are read only if it has names that are not known.
        known: iterable of str, names of classes.
        count: int or None, look only at the first so many images. Defaults to None: all.

    Returns:
        List of str, the names in the source's order. Crowds do not count.

    Example:
        >>> unknown_classes(source, ["cat"])
        ['dog']
    """
    names = source.categories.names
    unknown = {number for number, name in enumerate(names) if name not in set(known)}
    found = set()
    for index in range(len(source) if count is None else min(count, len(source))):
        if found == unknown:
            break
        found |= unknown & set(_classes(source, index).tolist())
    return [names[number] for number in sorted(found)]


def with_classes(source, categories):
    """Makes a source with the classes of another table, matched by name.

    Args:
        source: `Source`.
        categories: `Categories`. Objects of classes that it lacks are left out.

    Returns:
        `Source` with `categories`; the given one if they are its own.
    """
    if source.categories == categories:
        return source
    own = {name: number for number, name in enumerate(categories.names)}
    mapping = np.asarray([own.get(name, -1) for name in source.categories.names], np.int32)

    def changed(example):
        classes = mapping[example["classes"]]  # (n,)
        kept = classes >= 0
        per_object = {key: example[key][kept] for key in ("boxes", "is_crowd", "area")}
        return {**example, **per_object, "classes": classes[kept]}

    counts = source.object_counts
    if (mapping < 0).any():
        counts = np.asarray([np.sum(mapping[_classes(source, i)] >= 0) for i in range(len(source))], np.int64)
    return replace(
        source,
        categories=categories,
        read=lambda index: changed(source.read(index)),
        read_objects=lambda index: changed(source.objects(index)),
        annotated=np.asarray(counts) > 0,
        object_counts=counts,
    )


def _classes(source, index):
    """The classes of the objects of an image that are no crowds: int array (n,), empty if it cannot be read."""
    try:
        example = source.objects(index)
    except ImageError:
        return np.zeros(0, np.int32)
    return example["classes"][~example["is_crowd"]]

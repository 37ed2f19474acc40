"""Several sources as one: the parts of `train+val`, or different data sets."""

import numpy as np

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.issues import Issues
from pix2seq_keras.data.sources.source import Source
from pix2seq_keras.errors import InputError


def join(sources, name, split, order=None, by_name=False):
    """One source that hands on the examples of several.

    Args:
        sources: list of `Source`, at least one.
        name: str, what the whole is called.
        split: str, what its split is called.
        order: int `(M, 2)`, a source and an image in it for each place. Images may come more than once. Defaults to
            all images of the first source, then all of the second, ….
        by_name: bool, whether classes are matched by their names. By default all sources must have the same ones.

    Returns:
        A `Source`. Image ids are kept where they are all different, otherwise they are places, counted from 1.

    Raises:
        InputError: if the classes differ, and `by_name` is not set.

    Example:
        >>> both = join([open_source("coco:A", "train"), open_source("voc:B", "trainval")], "A and B", "train")
    """
    categories = Categories.merge(source.categories for source in sources) if by_name else _equal_categories(sources)
    class_of = {class_name: index for index, class_name in enumerate(categories.names)}
    mappings = [np.asarray([class_of[n] for n in source.categories.names], np.int32) for source in sources]
    if order is None:
        order = [(number, index) for number, source in enumerate(sources) for index in range(len(source))]
    order = np.asarray(order, np.int64).reshape(-1, 2)  # (M, 2)

    def gathered(arrays):
        starts = np.cumsum([0, *map(len, arrays)])[:-1]
        return np.concatenate(arrays)[starts[order[:, 0]] + order[:, 1]]

    image_ids = gathered([source.image_ids for source in sources])
    if len(np.unique(image_ids)) < len(image_ids):
        image_ids = np.arange(1, len(order) + 1, dtype=np.int64)

    def moved(function_name):
        def call(place):
            number, index = order[place]
            example = getattr(sources[number], function_name)(int(index))
            classes = mappings[number][example["classes"]]
            return {**example, "image_id": np.int64(image_ids[place]), "classes": classes}

        return call

    def encoded(place):
        number, index = order[place]
        return sources[number].encoded(int(index))

    return Source(
        name=name,
        split=split,
        categories=categories,
        image_ids=image_ids,
        issues=_all_issues(sources),
        read=moved("read"),
        annotated=gathered([source.annotated for source in sources]),
        object_counts=gathered([source.object_counts for source in sources]),
        labels=[sources[number].label(int(index)) for number, index in order],
        sizes=gathered([source.sizes for source in sources]),
        read_objects=moved("objects"),
        encoded=None if any(source.encoded is None for source in sources) else encoded,
    )


def _equal_categories(sources):
    """The classes of all: same names, same order. Dataset ids are a matter of format and may differ."""
    first = sources[0]
    for other in sources[1:]:
        if other.categories.names != first.categories.names:
            one, two = set(first.categories.names), set(other.categories.names)
            only = [
                f"only {source.name} has {', '.join(map(repr, sorted(more)[:5]))}" + (", …" if len(more) > 5 else "")
                for source, more in ((first, one - two), (other, two - one))
                if more
            ]
            raise InputError(
                f"{first.name} ({first.split}) and {other.name} ({other.split}) have different classes: "
                + ("; ".join(only) or "the same names in another order")
                + ". Write mix-by-name:[…]+[…] to have them matched by their names."
            )
    return first.categories


def _all_issues(sources):
    issues, copied = Issues(), []
    for source in sources:
        if not any(source.issues is one for one in copied):  # parts of one split share theirs
            copied.append(source.issues)
            for found in source.issues:
                # Two data sets may well have an annotations[3].
                where = f"{source.name} ({source.split}): {found.where}" if len(sources) > 1 else found.where
                issues.add(found.kind, where, found.message, found.severity)
    return issues

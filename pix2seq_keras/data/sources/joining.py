"""Several sources joined to one: the parts of `train+val`, or different data sets."""

import numpy as np

from pix2seq_keras.categories import Categories
from pix2seq_keras.data.issues import Issues
from pix2seq_keras.data.sources.source import Source
from pix2seq_keras.errors import InputError


def join(sources, name, split, order=None, by_name=False):
    """Joins sources to one.

    Args:
        sources: list of `Source`, at least one.
        name: str, the name of the result.
        split: str, its split.
        order: int array (M, 2), the number of a source and of an image in it for each place. Images may come more
            than once. Defaults to None: all images of the first source, then all of the second, ….
        by_name: bool, whether classes are matched by name. Defaults to False: all sources must have the same classes.

    Returns:
        `Source`. Image ids are kept if they are all different; otherwise they are places, counted from 1.

    Raises:
        InputError: if the classes differ and `by_name` is False.

    Example:
        >>> both = join([open_source("coco:A", "train"), open_source("voc:B", "trainval")], "A and B", "train")
    """
    categories = Categories.merge(source.categories for source in sources) if by_name else _equal_categories(sources)
    class_of = {class_name: index for index, class_name in enumerate(categories.names)}
    mappings = [np.asarray([class_of[n] for n in source.categories.names], np.int32) for source in sources]
    if order is None:
        order = [(number, index) for number, source in enumerate(sources) for index in range(len(source))]
    order = np.asarray(order, np.int64).reshape(-1, 2)  # (M, 2)

    def gather(arrays):
        starts = np.cumsum([0, *map(len, arrays)])[:-1]
        return np.concatenate(arrays)[starts[order[:, 0]] + order[:, 1]]

    image_ids = gather([source.image_ids for source in sources])
    if len(np.unique(image_ids)) < len(image_ids):
        image_ids = np.arange(1, len(order) + 1, dtype=np.int64)

    def by_place(function_name):
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
        read=by_place("read"),
        annotated=gather([source.annotated for source in sources]),
        object_counts=gather([source.object_counts for source in sources]),
        labels=[sources[number].label(int(index)) for number, index in order],
        sizes=gather([source.sizes for source in sources]),
        read_objects=by_place("objects"),
        encoded=None if any(source.encoded is None for source in sources) else encoded,
    )


def _equal_categories(sources):
    """The classes of all sources: same names, same order. Data set ids may differ, they depend on the format."""
    first = sources[0]
    for other in sources[1:]:
        if other.categories.names != first.categories.names:
            one, two = set(first.categories.names), set(other.categories.names)
            only = [
                f"only {source.name} has {', '.join(map(repr, sorted(names)[:5]))}" + (", …" if len(names) > 5 else "")
                for source, names in ((first, one - two), (other, two - one))
                if names
            ]
            raise InputError(
                f"All data sets of a mixture must have the same classes. Received: {first.name} ({first.split}) and "
                f"{other.name} ({other.split}); {'; '.join(only) or 'they have the same names in another order'}. "
                "Write mix-by-name:[…]+[…] to match classes by name."
            )
    return first.categories


def _all_issues(sources):
    issues, copied = Issues(), []
    for source in sources:
        if not any(source.issues is one for one in copied):  # parts of one split share their issues
            copied.append(source.issues)
            for issue in source.issues:
                # Two data sets may both have an annotations[3].
                where = f"{source.name} ({source.split}): {issue.where}" if len(sources) > 1 else issue.where
                issues.add(issue.kind, where, issue.message, issue.severity)
    return issues

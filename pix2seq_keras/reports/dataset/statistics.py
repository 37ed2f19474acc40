"""The numbers of one split: counts, sizes, classes, sequence lengths."""

from collections import Counter

import numpy as np

from pix2seq_keras.sequences import TOKENS_PER_OBJECT

# COCO's: an object of less than 32² pixels is small, one of more than 96² large.
SIZES = ("small", "medium", "large")
_EDGES = (32**2, 96**2)


def summarize(looks, categories, max_objects):
    """Counts what is on the images of a split.

    Crowds are counted apart: no sequence holds them.

    Args:
        looks: list of `Look`, the images that could be read.
        categories: `Categories`, the classes.
        max_objects: int, objects a training sequence holds.

    Returns:
        Dictionary of plain numbers, lists and dictionaries, ready for JSON:
        `"images"`, `"images_with_objects"`, `"objects"`, `"crowds"`;
        `"image_sizes"`, a list of `{"width", "height", "images"}`, the most frequent first;
        `"objects_per_image"`, `{"mean", "median", "most", "histogram"}`, the last a list whose entry k counts the
        images with k objects;
        `"object_sizes"`, `{"small", "medium", "large"}` by COCO's areas;
        `"classes"`, a list in the classes' order of `{"name", "id", "objects", "images", "most_on_a_image",
        "small", "medium", "large"}`;
        `"sequences"`, `{"max_objects", "longest_tokens", "images_beyond", "objects_beyond"}`.
    """
    counts = np.asarray([len(look.classes) for look in looks], np.int64)  # (images,)
    classes = np.concatenate([np.zeros(0, np.int64), *(look.classes for look in looks)]).astype(np.int64)  # (objects,)
    areas = np.concatenate([np.zeros(0), *(look.areas for look in looks)])  # (objects,)
    owners = np.repeat(np.arange(len(looks)), counts)  # (objects,)
    sizes = (areas >= _EDGES[0]).astype(np.int64) + (areas > _EDGES[1])  # (objects,) 0, 1, 2

    by_class = np.zeros((len(categories), len(SIZES)), np.int64)
    np.add.at(by_class, (classes, sizes), 1)
    pairs, in_pair = np.unique(owners * len(categories) + classes, return_counts=True)  # each class of an image once
    images_of = np.bincount(pairs % len(categories), minlength=len(categories))
    most = np.zeros(len(categories), np.int64)
    np.maximum.at(most, pairs % len(categories), in_pair)

    beyond = np.maximum(counts - max_objects, 0)
    frames = Counter((look.width, look.height) for look in looks)
    return {
        "images": len(looks),
        "images_with_objects": int((counts > 0).sum()),
        "objects": int(counts.sum()),
        "crowds": sum(look.crowds for look in looks),
        "image_sizes": [
            {"width": width, "height": height, "images": count}
            for (width, height), count in sorted(frames.items(), key=lambda item: (-item[1], item[0]))
        ],
        "objects_per_image": {
            "mean": float(counts.mean()) if len(counts) else 0.0,
            "median": float(np.median(counts)) if len(counts) else 0.0,
            "most": int(counts.max(initial=0)),
            "histogram": np.bincount(counts).tolist(),
        },
        "object_sizes": dict(zip(SIZES, by_class.sum(0).tolist(), strict=True)),
        "classes": [
            {
                "name": name,
                "id": categories.ids[index],
                "objects": int(by_class[index].sum()),
                "images": int(images_of[index]),
                "most_on_a_image": int(most[index]),
                **dict(zip(SIZES, by_class[index].tolist(), strict=True)),
            }
            for index, name in enumerate(categories.names)
        ],
        "sequences": {
            "max_objects": max_objects,
            "longest_tokens": TOKENS_PER_OBJECT * int(counts.max(initial=0)),
            "images_beyond": int((beyond > 0).sum()),
            "objects_beyond": int(beyond.sum()),
        },
    }

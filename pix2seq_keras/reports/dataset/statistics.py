"""Statistics of one split: counts, image and object sizes, classes, sequence lengths."""

from collections import Counter

import numpy as np

from pix2seq_keras.evaluation.object_sizes import SIZE_LIMITS, SIZES
from pix2seq_keras.sequences import TOKENS_PER_OBJECT


def compute_statistics(images, categories, max_objects):
    """Computes the statistics of the images of a split.

    Crowds are counted separately, because training sequences do not contain them.

    Args:
        images: list of `ScannedImage`.
        categories: `Categories`, the classes.
        max_objects: int, maximum number of objects in a training sequence.

    Returns:
        Dictionary that can be serialised to JSON:
        `"images"`, `"images_with_objects"`, `"objects"`, `"crowds"`;
        `"image_sizes"`, a list of `{"width", "height", "images"}`, the most frequent first;
        `"objects_per_image"`, `{"mean", "median", "max", "histogram"}`; entry k of the histogram is the number of
        images with k objects;
        `"object_sizes"`, `{"small", "medium", "large"}` by COCO's areas;
        `"classes"`, a list of `{"name", "id", "objects", "images", "max_per_image", "small", "medium", "large"}` in the
        order of the classes;
        `"sequences"`, `{"max_objects", "longest_tokens", "images_over_limit", "objects_over_limit"}`.
    """
    counts = np.asarray([len(image.classes) for image in images], np.int64)  # (images,)
    # (objects,) each
    classes = np.concatenate([np.zeros(0, np.int64), *(image.classes for image in images)]).astype(np.int64)
    areas = np.concatenate([np.zeros(0), *(image.areas for image in images)])
    image_of_object = np.repeat(np.arange(len(images)), counts)
    small, medium = (limit**2 for limit in SIZE_LIMITS)
    sizes = (areas >= small).astype(np.int64) + (areas > medium)  # 0, 1, 2

    by_class = np.zeros((len(categories), len(SIZES)), np.int64)
    np.add.at(by_class, (classes, sizes), 1)
    # Pairs of an image and a class on it, and the number of objects of each pair.
    pairs, objects_of_pair = np.unique(image_of_object * len(categories) + classes, return_counts=True)
    class_of_pair = pairs % len(categories)
    images_of_class = np.bincount(class_of_pair, minlength=len(categories))
    max_per_image = np.zeros(len(categories), np.int64)
    np.maximum.at(max_per_image, class_of_pair, objects_of_pair)

    over_limit = np.maximum(counts - max_objects, 0)
    image_sizes = Counter((image.width, image.height) for image in images)
    return {
        "images": len(images),
        "images_with_objects": int((counts > 0).sum()),
        "objects": int(counts.sum()),
        "crowds": sum(image.num_crowds for image in images),
        "image_sizes": [
            {"width": width, "height": height, "images": count}
            for (width, height), count in sorted(image_sizes.items(), key=lambda item: (-item[1], item[0]))
        ],
        "objects_per_image": {
            "mean": float(counts.mean()) if len(counts) else 0.0,
            "median": float(np.median(counts)) if len(counts) else 0.0,
            "max": int(counts.max(initial=0)),
            "histogram": np.bincount(counts).tolist(),
        },
        "object_sizes": dict(zip(SIZES, by_class.sum(0).tolist(), strict=True)),
        "classes": [
            {
                "name": name,
                "id": categories.ids[index],
                "objects": int(by_class[index].sum()),
                "images": int(images_of_class[index]),
                "max_per_image": int(max_per_image[index]),
                **dict(zip(SIZES, by_class[index].tolist(), strict=True)),
            }
            for index, name in enumerate(categories.names)
        ],
        "sequences": {
            "max_objects": max_objects,
            "longest_tokens": TOKENS_PER_OBJECT * int(counts.max(initial=0)),
            "images_over_limit": int((over_limit > 0).sum()),
            "objects_over_limit": int(over_limit.sum()),
        },
    }

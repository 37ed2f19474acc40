"""The evaluation loop: reads the images of a source, detects objects, and scores them."""

import collections
import itertools
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from pix2seq_keras.data.images.image_error import ImageError
from pix2seq_keras.errors import InputError
from pix2seq_keras.evaluation.class_choice import choose_classes, class_mapping, map_classes
from pix2seq_keras.evaluation.coco_evaluator import CocoEvaluator
from pix2seq_keras.inference import detect_each
from pix2seq_keras.progress import progress_bar
from pix2seq_keras.ranges import require_count


def evaluate_source(detector, source, batch_size=8, max_images=None, progress=True, classes="all", **overrides):
    """Scores a detector on the images of a source with COCO's metrics.

    An image that cannot be read is left out of the scores, listed in `source.issues` and counted in the result.

    Args:
        detector: object with a method `detect(images, batch_size=…, **options)`, where `images` is a list of uint8
            arrays `(H, W, 3)`. It returns a dictionary of `"boxes"` `(B, N, 4)`, `rel_yxyx` of each image, `"classes"`
            int `(B, N)` with -1 in unused rows, and `"scores"` float `(B, N)`. Its attribute `categories` may be
            missing or `None`: its classes are then those of the source. Otherwise classes are matched by name. It may
            lack classes of the source that no object has.
        source: `pix2seq_keras.data.sources.Source`, the images and their ground truth.
        batch_size: int, images in each call of the detector. A server must accept this batch size: TensorFlow Serving
            with the deployment files of `export/tensorflow_serving` accepts up to 8. Defaults to 8.
        max_images: int or `None`, evaluate only the first so many images. Defaults to `None`, all images.
        progress: bool, whether to show progress and the remaining time on standard error. Defaults to `True`.
        classes: str, "all", or "common" to evaluate only on the classes that both have. Objects of others are left out,
            but not their images. Defaults to "all".
        **overrides: arguments of `detector.detect`: `options`, a `DecodingOptions`, or fields of it.

    Returns:
        `(result, evaluator)`. `result` is the dictionary of `CocoEvaluator.result` plus `"seconds"`, the wall time of
        the whole evaluation, and `"unreadable_images"`, the number of images that were left out. `evaluator` is the
        `CocoEvaluator` with all detections.

    Raises:
        InputError: if the detector does not know the class of an object or, with "common", any class; if no image can
            be read; or if an exported model refuses an image.

    Example:
        >>> result, evaluator = evaluate_source(model, source, batch_size=16, num_samples=8)
        >>> result["AP"], result["per_class"]["cell"]
        (0.412, {'AP': 0.412, 'AP50': 0.731})
    """
    require_count("batch_size", batch_size)
    require_count("max_images", max_images, optional=True)
    start = time.monotonic()
    source = choose_classes(detector, source, classes)
    total = len(source) if max_images is None else min(max_images, len(source))
    to_source_class = class_mapping(detector, source, total)
    evaluator = CocoEvaluator(source.categories)
    title, done = f"evaluating {source.name} {source.split}", 0
    with progress_bar(title, total, show=progress) as advance, ThreadPoolExecutor(1) as reader:
        read, feed = itertools.tee(_read_ahead(reader, _readable(source, total), batch_size))
        images = (example["image"] for _, example in feed)
        found = detect_each(detector, images, batch_size=batch_size, num_images=total, **overrides)
        for (num_read, example), objects in zip(read, found, strict=True):
            _add(evaluator, example, objects, to_source_class)
            advance(num_read - done)
            done = num_read
        advance(total - done)
    if not len(evaluator):
        issues = source.issues.summary()
        raise InputError(
            f"Nothing to evaluate: none of the {total} images of {source.name} {source.split} "
            "could be read." + (f"\nIssues:\n{issues}" if issues else "")
        )
    result = evaluator.result()
    result["unreadable_images"] = total - len(evaluator)
    result["seconds"] = round(time.monotonic() - start, 3)
    return result, evaluator


def evaluate(model, data, split="val", **kwargs):
    """Scores a model on a split of a data source with COCO's metrics.

    Args:
        model: `Pix2Seq` or another detector, see `evaluate_source`; or a REF for `open_model`: the name of a preset, a
            run folder, a file, or the address of a served model.
        data: str, a data source such as `"coco:DIR"`, see `open_source`; or a `Source`.
        split: str, the split of the data source. It has no effect for a `Source`.
        **kwargs: of `evaluate_source`: `batch_size`, `max_images`, `progress`, `classes`, and fields of
            `DecodingOptions`.

    Returns:
        Dictionary of COCO's metrics, see `evaluate_source`.

    Raises:
        InputError: if the model or the data cannot be opened, or as `evaluate_source`.

    Example:
        >>> pix2seq_keras.evaluate("digits_tiny", "digits", "test")["AP"]
        0.898124
    """
    from pix2seq_keras.data import open_source
    from pix2seq_keras.inference import open_model

    detector = model if hasattr(model, "detect") else open_model(model)
    source = data if hasattr(data, "read_or_report") else open_source(data, split)
    return evaluate_source(detector, source, **kwargs)[0]


def _readable(source, total):
    """Yields (number of images read so far, example) for every image that can be read."""
    for index in range(total):
        example = source.read_or_report(index)
        if example is not None:
            yield index + 1, example


def _read_ahead(reader, items, count):
    """The items of an iterator, so many read ahead by the thread of an executor while the caller works."""
    waiting = collections.deque(reader.submit(next, items, None) for _ in range(count + 1))
    while (item := waiting.popleft().result()) is not None:
        waiting.append(reader.submit(next, items, None))
        yield item


def _add(evaluator, example, objects, to_source_class):
    """Refused images are not left out like unreadable ones: the scores would then be those of an easier split."""
    if isinstance(objects, ImageError):
        raise InputError(f"The model refuses the image with id {example['image_id']}.\n{objects}") from objects
    evaluator.add(
        image_id=example["image_id"],
        size=example["image"].shape[:2],
        truth=example,
        detections={
            "boxes": np.asarray(objects["boxes"]),  # (N, 4)
            "classes": map_classes(np.asarray(objects["classes"]), to_source_class),  # (N,)
            "scores": np.asarray(objects["scores"]),  # (N,)
        },
    )

"""The loop over a source: read images, detect in batches of one size, score."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from pix2seq_keras.errors import InputError
from pix2seq_keras.evaluation.coco_evaluator import CocoEvaluator
from pix2seq_keras.inference import RefusedImagesError, options_for_run
from pix2seq_keras.progress import progress_bar


def evaluate_source(detector, source, batch_size=8, max_images=None, progress=True, **detect_options):
    """Scores a detector on the images of a source.

    An image that cannot be read is left out of the scores, noted in `source.issues` and counted in the
    result.

    Args:
        detector: Anything with `.detect(list of uint8 arrays (H, W, 3), batch_size=…, **options)`, which
            returns a dictionary of "boxes" `(B, N, 4)` rel_yxyx of each image, "classes" `(B, N)` with -1 in unused
            rows and "scores" `(B, N)`; and with `.categories`. Where that is missing or None, the source's
            categories are meant. Categories in another order, or more than the source has, are mapped by
            name.
        source: `pix2seq_keras.data.sources.Source`.
        batch_size: Integer, images that go through the detector at once. Every call of `detect` gets exactly
            this many, so that a compiled detector is traced once, and the number itself, so that it does not
            divide them again. A server takes as many as its batching allows: ours 8. Default: 8.
        max_images: Integer or None: only so many images, from the first. Default: None, all of them.
        progress: Whether to show progress and the time left on standard error. Default: True.
        **detect_options: Passed on to `detector.detect`.

    Returns:
        `(result, evaluator)`: the dictionary of `CocoEvaluator.result` with "seconds" (wall time of the whole
        evaluation) and "unreadable_images" (how many were left out), and the `CocoEvaluator` with all
        detections.

    Raises:
        InputError: When the detector does not know all the source's categories, no image can be read, or an
            exported model refuses an image.

    Example:
    ```python
    result, evaluator = evaluate_source(model, source, batch_size=16, seed=0)
    print(result["AP"], result["per_class"])
    ```
    """
    if batch_size < 1 or (max_images is not None and max_images < 1):
        raise InputError(
            "An evaluation needs a batch size and a number of images of at least 1. "
            f"Received: batch_size={batch_size}, max_images={max_images}."
        )
    start = time.monotonic()
    to_source_class = _class_mapping(detector, source.categories)
    evaluator = CocoEvaluator(source.categories)
    total = len(source) if max_images is None else min(max_images, len(source))
    detect_options = options_for_run(detector, total, batch_size, detect_options)
    detect_options = {**detect_options, "batch_size": batch_size}
    batches = _batches(source, total, batch_size)
    title = f"evaluating {source.name} {source.split}"
    with progress_bar(title, total, show=progress) as advance, ThreadPoolExecutor(1) as reader:
        following = reader.submit(next, batches, None)
        while (current := following.result()) is not None:
            following = reader.submit(next, batches, None)  # reads while the detector works
            batch, looked_at = current
            if batch:
                images = [example["image"] for example in batch]
                images += images[-1:] * (batch_size - len(batch))
                detected = _detected(detector, batch, images, detect_options)
                _add_batch(evaluator, batch, detected, to_source_class)
            advance(looked_at)
    if not len(evaluator):
        found = source.issues.summary()
        raise InputError(
            f"Nothing to evaluate: none of the {total} images of {source.name} {source.split} "
            "could be read." + (f"\nFound there:\n{found}" if found else "")
        )
    result = evaluator.result()
    result["unreadable_images"] = total - len(evaluator)
    result["seconds"] = round(time.monotonic() - start, 3)
    return result, evaluator


def _batches(source, total, batch_size):
    """Full batches of readable examples (the last may be short or empty), and how many images each took."""
    batch, looked_at = [], 0
    for index in range(total):
        example = source.read_or_report(index)
        looked_at += 1
        if example is not None:
            batch.append(example)
        if len(batch) == batch_size:
            yield batch, looked_at
            batch, looked_at = [], 0
    if looked_at:
        yield batch, looked_at


def _detected(detector, batch, images, options):
    """What `detect` gives; if an exported model refuses images, a sentence with their ids.

    They are not left out like unreadable ones: the scores would be those of an easier split.
    """
    try:
        return detector.detect(images, **options)
    except RefusedImagesError as error:
        ids = [batch[place]["image_id"] for place in error.sentences if place < len(batch)]
        raise InputError(f"The model refuses the images with the ids {ids}.\n{error}") from error


def _add_batch(evaluator, batch, detected, to_source_class):
    boxes, classes, scores = (np.asarray(detected[key]) for key in ("boxes", "classes", "scores"))
    for row, example in enumerate(batch):  # not the padding behind it
        evaluator.add(
            image_id=example["image_id"],
            size=example["image"].shape[:2],
            truth=example,
            detections={
                "boxes": boxes[row],  # (N, 4)
                "classes": _map_classes(classes[row], to_source_class),  # (N,)
                "scores": scores[row],  # (N,)
            },
        )


def _class_mapping(detector, source_categories):
    """An array: the detector's class -> the source's, or -1; None where both number their classes alike."""
    detector_categories = getattr(detector, "categories", None)
    if detector_categories is None:
        known = getattr(getattr(detector, "vocabulary", None), "num_classes", len(source_categories))
        if known != len(source_categories):
            raise InputError(
                f"The detector has {known} classes without names, the data {len(source_categories)}: which is which "
                "cannot be told. Give the detector its categories (`pix2seq convert --categories`)."
            )
        return None
    known, wanted = list(detector_categories.names), list(source_categories.names)
    if known == wanted:
        return None
    if not set(wanted) <= set(known):
        raise InputError(
            f"The detector knows the categories {_shortened(known)}, but the data has {_shortened(wanted)}. "
            "Evaluate on data whose categories the detector was trained for; they are matched by name."
        )
    return np.array([wanted.index(name) if name in wanted else -1 for name in known])


def _map_classes(classes, to_source_class):
    """Classes `(N,)` in the source's numbering; padding, and what the source does not label, becomes -1."""
    if to_source_class is None:
        return classes
    if classes.size and classes.max() >= len(to_source_class):
        raise InputError(
            f"The detector returned class {classes.max()}, but has only {len(to_source_class)} categories."
        )
    return np.where(classes >= 0, to_source_class[np.maximum(classes, 0)], -1)


def _shortened(names, shown=6):
    listed = ", ".join(repr(name) for name in names[:shown])
    return f"[{listed}, … {len(names)} in all]" if len(names) > shown else f"[{listed}]"

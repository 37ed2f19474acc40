"""pycocotools, class by class: precision, recall, and which detection matched which object."""

import contextlib
import io
from dataclasses import dataclass

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pix2seq_keras.evaluation.object_sizes import SIZES

IOU_THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))  # T
AREA_RANGES = ("all", *SIZES)  # A, in the order of pycocotools
MAX_DETECTIONS = (1, 10, 100)  # M, per class and image


@dataclass(frozen=True)
class Detections:
    """Detections of all images, one row each; at most the 100 best per class and image, as COCO uses them.

    Args:
        images: int `(D,)`, indices into `Accumulated.image_ids`.
        classes: int `(D,)`.
        scores: float `(D,)`.
        boxes: float `(D, 4)`, `xywh` in pixels of the original image.
        is_true_positive: bool `(D,)`, whether it matches an object of its class at IoU 0.5.
        is_ignored: bool `(D,)`, whether it matches a crowd: it then counts neither as true nor as false positive.
    """

    images: np.ndarray
    classes: np.ndarray
    scores: np.ndarray
    boxes: np.ndarray
    is_true_positive: np.ndarray
    is_ignored: np.ndarray


@dataclass(frozen=True)
class GroundTruth:
    """Objects of all images, one row each.

    Args:
        images: int `(G,)`, indices into `Accumulated.image_ids`.
        classes: int `(G,)`.
        boxes: float `(G, 4)`, `xywh` in pixels of the original image.
        areas: float `(G,)`, in pixels².
        is_crowd: bool `(G,)`; crowds need not be detected.
        matched_score: float `(G,)`, the score of the detection that matches it at IoU 0.5; -inf if none does.
    """

    images: np.ndarray
    classes: np.ndarray
    boxes: np.ndarray
    areas: np.ndarray
    is_crowd: np.ndarray
    matched_score: np.ndarray


@dataclass(frozen=True)
class Accumulated:
    """The results of pycocotools over all images.

    Detections with higher scores are matched first, so the matches above a score do not depend on the detections below
    it. One matching is therefore valid for every score threshold.

    Args:
        image_ids: int `(P,)`, the ids of all images, ascending.
        precision: float `(T, R, K, A, M)`, by `IOU_THRESHOLDS`, recall 0, 0.01, … 1, class, `AREA_RANGES` and
            `MAX_DETECTIONS`; -1 if there is no such object. The value at a recall is the best precision at that or any
            higher recall; its mean over R is the average precision.
        recall: float `(T, K, A, M)`, the maximum recall; -1 if there is no such object.
        detections: `Detections`.
        ground_truth: `GroundTruth`.
    """

    image_ids: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    detections: Detections
    ground_truth: GroundTruth

    def average_precision(self, iou=None, class_=None, size="all"):
        """Computes COCO's AP with at most 100 detections per class and image.

        Args:
            iou: float, one of `IOU_THRESHOLDS`. Defaults to `None`, the mean over all of them.
            class_: int, the class. Defaults to `None`, the mean over the classes that have objects.
            size: str, one of `AREA_RANGES`. Defaults to `"all"`.

        Returns:
            float in [0, 1], or `None` if the data has no such object.
        """
        ious, classes = _index(iou, IOU_THRESHOLDS), _index(class_)
        return _mean(self.precision[ious, :, classes, AREA_RANGES.index(size), -1])

    def average_recall(self, iou=None, class_=None, size="all", max_detections=100):
        """Computes COCO's AR, the average of the maximum recall.

        Args:
            iou: as in `average_precision`.
            class_: as in `average_precision`.
            size: as in `average_precision`.
            max_detections: int, one of `MAX_DETECTIONS`. Defaults to 100.

        Returns:
            float in [0, 1], or `None` if the data has no such object.
        """
        ious, classes = _index(iou, IOU_THRESHOLDS), _index(class_)
        return _mean(self.recall[ious, classes, AREA_RANGES.index(size), MAX_DETECTIONS.index(max_detections)])


def accumulate(truth, detections, num_classes):
    """Matches detections with the ground truth by pycocotools.

    Args:
        truth: dictionary from image id to a tuple of boxes `(n, 4)`, `xywh` in pixels, classes `(n,)`, is_crowd `(n,)`
            and areas `(n,)`.
        detections: dictionary with the same keys, to a tuple of boxes `(m, 4)`, `xywh` in pixels, classes `(m,)` and
            scores `(m,)`.
        num_classes: int, K.

    Returns:
        `Accumulated`.
    """
    image_ids = sorted(truth)  # their order decides between equal scores
    ground_truth = _ground_truth([truth[image_id] for image_id in image_ids])
    candidates = _detections([detections[image_id] for image_id in image_ids])
    is_evaluated = np.zeros(len(candidates.classes), bool)
    # One class at a time, over the images that have objects or detections of it: the same numbers with less memory
    # (all at once takes gigabytes for 5,000 images of 80 classes with 100 detections each).
    precision, recall = -np.ones((10, 101, num_classes, 4, 3)), -np.ones((10, num_classes, 4, 3))
    for class_ in range(num_classes):
        truth_rows = np.flatnonzero(ground_truth.classes == class_)
        rows = _best_of_each_image(candidates, np.flatnonzero(candidates.classes == class_))
        is_evaluated[rows] = True
        if len(truth_rows):  # without objects the result is -1, and pycocotools takes long to compute it
            evaluation = _evaluate(ground_truth, truth_rows, candidates, rows)
            precision[:, :, class_] = evaluation.eval["precision"][:, :, 0]
            recall[:, class_] = evaluation.eval["recall"][:, 0]
            _store_matches(evaluation, ground_truth, truth_rows, candidates, rows)
    columns = {name: column[is_evaluated] for name, column in vars(candidates).items()}
    return Accumulated(np.asarray(image_ids, np.int64), precision, recall, Detections(**columns), ground_truth)


def _ground_truth(per_image):
    images, boxes, classes, is_crowd, areas = _concatenate(per_image, (4, 0, 0, 0))
    unmatched = np.full(len(classes), -np.inf)
    # The types matter if there are no objects at all.
    return GroundTruth(images, classes.astype(int), boxes, areas, is_crowd.astype(bool), unmatched)


def _detections(per_image):
    images, boxes, classes, scores = _concatenate(per_image, (4, 0, 0))
    is_true_positive, is_ignored = np.zeros((2, len(classes)), bool)
    return Detections(images, classes.astype(int), scores, boxes, is_true_positive, is_ignored)


def _concatenate(per_image, widths):
    """One tuple of arrays per image -> the index of the image of each row, then each array over all images."""
    if not per_image:
        return np.zeros(0, int), *(np.zeros((0, width) if width else 0) for width in widths)
    images = np.repeat(np.arange(len(per_image)), [len(arrays[0]) for arrays in per_image])
    return images, *(np.concatenate(arrays) for arrays in zip(*per_image, strict=True))


def _best_of_each_image(detections, rows):
    """The rows that COCO uses: the 100 best of each image; of equal scores, the earlier."""
    order = rows[np.lexsort((-detections.scores[rows], detections.images[rows]))]
    images = detections.images[order]
    rank = np.arange(len(order)) - np.searchsorted(images, images)  # within the image
    return np.sort(order[rank < MAX_DETECTIONS[-1]])


def _evaluate(ground_truth, truth_rows, detections, rows):
    """Evaluates one class with pycocotools."""
    truth = _annotations(
        image_id=ground_truth.images[truth_rows],
        bbox=ground_truth.boxes[truth_rows],
        area=ground_truth.areas[truth_rows],
        iscrowd=ground_truth.is_crowd[truth_rows].astype(int),
    )
    sides = detections.boxes[rows, 2:]  # (d, 2)
    found = _annotations(
        image_id=detections.images[rows],
        bbox=detections.boxes[rows],
        area=sides[:, 0] * sides[:, 1],
        score=detections.scores[rows],
    )
    images = sorted({row["image_id"] for row in truth} | {row["image_id"] for row in found})
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        evaluation = COCOeval(_coco(truth, images), _coco(found, images), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def _annotations(**columns):
    # Ids start at 1, because pycocotools uses 0 for "unmatched". The dataset's ids are not needed here.
    values = zip(*(column.tolist() for column in columns.values()), strict=True)
    names = ("id", "category_id", *columns)
    return [dict(zip(names, (number, 1, *row), strict=True)) for number, row in enumerate(values, start=1)]


def _coco(annotations, image_ids):
    coco = COCO()
    coco.dataset = {
        "images": [{"id": image_id} for image_id in image_ids],
        "categories": [{"id": 1}],
        "annotations": annotations,
    }
    coco.createIndex()
    return coco


def _store_matches(evaluation, ground_truth, truth_rows, detections, rows):
    """Writes the matches of pycocotools at IoU 0.5 and any object size into the columns."""
    for image in evaluation.evalImgs[: len(evaluation.params.imgIds)]:  # of all sizes, the first of four area ranges
        image_rows = rows[np.asarray(image["dtIds"], int) - 1]
        matches, ignored = image["dtMatches"][0].astype(int), image["dtIgnore"][0].astype(bool)
        is_match = (matches > 0) & ~ignored
        detections.is_ignored[image_rows] = ignored
        detections.is_true_positive[image_rows] = is_match
        ground_truth.matched_score[truth_rows[matches[is_match] - 1]] = detections.scores[image_rows[is_match]]


def _index(value, values=None):
    if value is None:
        return slice(None)
    return value if values is None else values.index(value)


def _mean(values):
    """The mean of the values; pycocotools writes -1 if the data has no such object."""
    present = values[values > -1]
    # pycocotools adds a small number against division by zero, so a perfect score is below 1 without rounding.
    return round(float(present.mean()), 9) if present.size else None

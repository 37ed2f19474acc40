"""pycocotools, class by class: precision, recall, and which detection found which object."""

import contextlib
import io
from dataclasses import dataclass

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

IOUS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))  # COCO's thresholds, T
SIZES = ("all", "small", "medium", "large")  # pycocotools' order, A: any, ≤ 32² pixels, ≤ 96², above
MAX_DETECTIONS = (1, 10, 100)  # of a class on an image, M


@dataclass(frozen=True)
class Detections:
    """Detections as columns, one row each; of a class on an image the 100 best, more COCO does not look at.

    Args:
        images: int `(D,)`, places in `Accumulated.image_ids`.
        classes: int `(D,)`.
        scores: float `(D,)`.
        boxes: float `(D, 4)`, x, y, width, height in pixels of the original image.
        is_right: bool `(D,)`, found an object of its class at IoU 0.5.
        is_ignored: bool `(D,)`, lies on a crowd: neither right nor wrong.
    """

    images: np.ndarray
    classes: np.ndarray
    scores: np.ndarray
    boxes: np.ndarray
    is_right: np.ndarray
    is_ignored: np.ndarray


@dataclass(frozen=True)
class Objects:
    """The truth as columns, one row each.

    Args:
        images: int `(G,)`, places in `Accumulated.image_ids`.
        classes: int `(G,)`.
        boxes: float `(G, 4)`, x, y, width, height in pixels of the original image.
        areas: float `(G,)`, pixels².
        is_crowd: bool `(G,)`: nobody has to find it.
        found_by: float `(G,)`, the score of the detection that found it at IoU 0.5; -inf where none did.
    """

    images: np.ndarray
    classes: np.ndarray
    boxes: np.ndarray
    areas: np.ndarray
    is_crowd: np.ndarray
    found_by: np.ndarray


@dataclass(frozen=True)
class Accumulated:
    """What pycocotools says of all images together.

    A detection of a higher score chooses its object first, so what is right above some score does not depend on
    the detections below it: one matching answers for every threshold.

    Args:
        image_ids: int `(P,)`, of all images, rising.
        precision: float `(T, R, K, A, M)` for the `IOUS`, recall 0, 0.01, … 1, the classes, the `SIZES` and the
            `MAX_DETECTIONS`; -1 where there is no such object. At every recall it is the best precision at that
            recall or a higher one, whose mean over R is the average precision.
        recall: float `(T, K, A, M)`, the highest reached; -1 where there is no such object.
        detections: `Detections`.
        objects: `Objects`.
    """

    image_ids: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    detections: Detections
    objects: Objects

    def average_precision(self, iou=None, class_=None, size="all"):
        """COCO's AP of at most 100 detections a class and image.

        Args:
            iou: Float, one of `IOUS`; None for the mean over them. Default: None.
            class_: Integer, None for the mean over the classes that have objects. Default: None.
            size: String, one of `SIZES`. Default: `"all"`.

        Returns:
            Float in [0, 1], or None where the data has no such object.
        """
        ious, classes = _chosen(iou, IOUS), _chosen(class_)
        return _mean(self.precision[ious, :, classes, SIZES.index(size), -1])

    def average_recall(self, iou=None, class_=None, size="all", max_detections=100):
        """The highest recall reached, averaged as COCO does.

        Args:
            iou: As in `average_precision`.
            class_: As in `average_precision`.
            size: As in `average_precision`.
            max_detections: Integer, one of `MAX_DETECTIONS`. Default: 100.

        Returns:
            Float in [0, 1], or None where the data has no such object.
        """
        ious, classes = _chosen(iou, IOUS), _chosen(class_)
        return _mean(self.recall[ious, classes, SIZES.index(size), MAX_DETECTIONS.index(max_detections)])


def accumulate(truth, found, num_classes):
    """Lets pycocotools compare detections with the truth.

    Args:
        truth: Dictionary: image id -> boxes in pixels xywh `(n, 4)`, classes `(n,)`, is_crowd `(n,)` and
            areas `(n,)`.
        found: Dictionary of the same ids: boxes in pixels xywh `(m, 4)`, classes `(m,)` and scores `(m,)`.
        num_classes: Integer, K.

    Returns:
        `Accumulated`.
    """
    image_ids = sorted(truth)  # their order decides between equal scores
    images, boxes, classes, is_crowd, areas = _joined([truth[number] for number in image_ids], (4, 0, 0, 0))
    classes, is_crowd = classes.astype(int), is_crowd.astype(bool)  # also where there are none
    objects = Objects(images, classes, boxes, areas, is_crowd, np.full(len(classes), -np.inf))
    images, boxes, classes, scores = _joined([found[number] for number in image_ids], (4, 0, 0))
    looked_at, is_right, is_ignored = np.zeros((3, len(classes)), bool)
    detections = Detections(images, classes.astype(int), scores, boxes, is_right, is_ignored)
    # Class by class, each over the images that have anything of it: the same numbers in a fraction of
    # the memory (otherwise gigabytes for 5,000 images of 80 classes with 100 detections each).
    precision, recall = -np.ones((10, 101, num_classes, 4, 3)), -np.ones((10, num_classes, 4, 3))
    for class_ in range(num_classes):
        truth_rows = np.flatnonzero(objects.classes == class_)
        rows = _best_of_each_image(detections, np.flatnonzero(detections.classes == class_))
        looked_at[rows] = True
        if len(truth_rows):  # else there is nothing to find, and pycocotools would say so after a long look
            evaluation = _evaluated(objects, truth_rows, detections, rows)
            precision[:, :, class_] = evaluation.eval["precision"][:, :, 0]
            recall[:, class_] = evaluation.eval["recall"][:, 0]
            _keep_matches(evaluation, objects, truth_rows, detections, rows)
    columns = {name: column[looked_at] for name, column in vars(detections).items()}
    return Accumulated(np.asarray(image_ids, np.int64), precision, recall, Detections(**columns), objects)


def _joined(per_image, widths):
    """Tuples of arrays, one an image -> the image's number a row, then each array over all images."""
    if not per_image:
        return np.zeros(0, int), *(np.zeros((0, width) if width else 0) for width in widths)
    images = np.repeat(np.arange(len(per_image)), [len(arrays[0]) for arrays in per_image])
    return images, *(np.concatenate(arrays) for arrays in zip(*per_image, strict=True))


def _best_of_each_image(detections, rows):
    """Those of the rows that COCO looks at: of each image the 100 best, the earlier of equals."""
    order = rows[np.lexsort((-detections.scores[rows], detections.images[rows]))]
    images = detections.images[order]
    place = np.arange(len(order)) - np.searchsorted(images, images)  # within the image
    return np.sort(order[place < MAX_DETECTIONS[-1]])


def _evaluated(objects, truth_rows, detections, rows):
    """Pycocotools' evaluation of one class."""
    truth = _annotations(
        image_id=objects.images[truth_rows],
        bbox=objects.boxes[truth_rows],
        area=objects.areas[truth_rows],
        iscrowd=objects.is_crowd[truth_rows].astype(int),
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
    # pycocotools takes an annotation id of 0 for "unmatched", so they count from 1; the dataset's own ids
    # come back only in `detections_json`.
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


def _keep_matches(evaluation, objects, truth_rows, detections, rows):
    """Writes what pycocotools matched at IoU 0.5, whatever the size, into the columns."""
    for image in evaluation.evalImgs[: len(evaluation.params.imgIds)]:  # of any size, the first of four
        places = rows[np.asarray(image["dtIds"], int) - 1]
        matches, ignored = image["dtMatches"][0].astype(int), image["dtIgnore"][0].astype(bool)
        is_right = (matches > 0) & ~ignored
        detections.is_ignored[places] = ignored
        detections.is_right[places] = is_right
        objects.found_by[truth_rows[matches[is_right] - 1]] = detections.scores[places[is_right]]


def _chosen(value, values=None):
    if value is None:
        return slice(None)
    return value if values is None else values.index(value)


def _mean(values):
    """Mean of what is present; pycocotools marks what the data cannot tell with -1."""
    present = values[values > -1]
    # Its guard against dividing by zero costs a few units in the 16th digit: rounded, a perfect score is 1.
    return round(float(present.mean()), 9) if present.size else None

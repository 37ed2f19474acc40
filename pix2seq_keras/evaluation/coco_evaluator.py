"""Average precision as COCO defines it: pycocotools, over every picture that was shown to the detector."""

import contextlib
import io

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pix2seq_keras.errors import InputError

_ALL, _SMALL, _MEDIUM, _LARGE = range(4)  # pycocotools' order of object sizes: any, < 32² px, < 96² px, above
_AT_MOST_1, _AT_MOST_10, _AT_MOST_100 = range(3)  # pycocotools' order of detections kept a picture


class CocoEvaluator:
    """Collects truth and detections picture by picture, then scores them with pycocotools.

    Every picture added counts: one without detections lowers recall, one without objects still turns its
    detections into false positives, and class 0 is a class like any other.

    Args:
        categories: `Categories`; class `i` is called `categories.names[i]` and has dataset id
            `categories.ids[i]`.

    Example:

    ```python
    evaluator = CocoEvaluator(Categories(ids=(1,), names=("cell",)))
    boxes = np.array([[0.1, 0.1, 0.5, 0.5]], "float32")
    evaluator.add(
        image_id=7,
        size=(480, 640),
        truth={"boxes": boxes, "classes": np.array([0])},
        detections={"boxes": boxes, "classes": np.array([0]), "scores": np.array([0.9])},
    )
    evaluator.result()["AP"]  # 1.0
    ```
    """

    def __init__(self, categories):
        self.categories = categories
        self._truth = {}  # image id -> (boxes in pixels xywh (n, 4), classes (n,), is_crowd (n,), area (n,))
        self._detections = {}  # image id -> (boxes in pixels xywh (m, 4), classes (m,), scores (m,))

    def __len__(self):
        return len(self._truth)

    def add(self, image_id, size, truth, detections):
        """Adds one picture.

        Args:
            image_id: Integer, the picture's id in its dataset; each may be added once.
            size: `(height, width)` of the original picture in pixels.
            truth: Dictionary of "boxes" `(n, 4)` rel_yxyx and "classes" `(n,)`; optionally "is_crowd" `(n,)`
                bool (default: no crowds) and "area" `(n,)` in pixels² (default: the boxes' own areas). Rows
                of class -1 are padding.
            detections: Dictionary of "boxes" `(m, 4)` rel_yxyx, "classes" `(m,)` and "scores" `(m,)`. Rows of
                class -1 are padding. COCO looks at the 100 best of a class at most.

        Raises:
            InputError: For an image id that was added before, a class the categories do not have, or a
                detection whose box or score is not a finite number.
        """
        image_id = int(image_id)
        if image_id in self._truth:
            raise InputError(f"Image id {image_id} was added twice; every picture may be evaluated once.")
        truth_boxes, truth_classes, keep = _real_rows(truth, image_id, "truth", self.categories)
        is_crowd = np.asarray(truth.get("is_crowd", np.zeros(keep.shape)), bool).reshape(-1)[keep]
        truth_boxes = _to_pixels(truth_boxes, size)
        area = truth.get("area")
        if area is None:
            area = truth_boxes[:, 2] * truth_boxes[:, 3]
        else:
            area = np.asarray(area, np.float64).reshape(-1)[keep]
        boxes, classes, keep = _real_rows(detections, image_id, "detections", self.categories)
        scores = _finite_scores(detections, image_id, keep)
        self._detections[image_id] = (_to_pixels(boxes, size), classes, scores)
        self._truth[image_id] = (truth_boxes, truth_classes, is_crowd, area)

    def result(self):
        """Scores what was added so far.

        Returns:
            Dictionary of COCO's twelve numbers "AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10",
            "AR100", "ARs", "ARm", "ARl", each a float in [0, 1] or None where nothing of that kind is in the
            data; "per_class" `{name: {"AP", "AP50"}}`; "num_images"; and "num_objects", crowds not counted.
        """
        precision, recall = self._accumulate()  # (T, R, K, A, M), (T, K, A, M)
        result = {
            "AP": _mean(precision[:, :, :, _ALL, _AT_MOST_100]),
            "AP50": _mean(precision[0, :, :, _ALL, _AT_MOST_100]),
            "AP75": _mean(precision[5, :, :, _ALL, _AT_MOST_100]),
            "APs": _mean(precision[:, :, :, _SMALL, _AT_MOST_100]),
            "APm": _mean(precision[:, :, :, _MEDIUM, _AT_MOST_100]),
            "APl": _mean(precision[:, :, :, _LARGE, _AT_MOST_100]),
            "AR1": _mean(recall[:, :, _ALL, _AT_MOST_1]),
            "AR10": _mean(recall[:, :, _ALL, _AT_MOST_10]),
            "AR100": _mean(recall[:, :, _ALL, _AT_MOST_100]),
            "ARs": _mean(recall[:, :, _SMALL, _AT_MOST_100]),
            "ARm": _mean(recall[:, :, _MEDIUM, _AT_MOST_100]),
            "ARl": _mean(recall[:, :, _LARGE, _AT_MOST_100]),
        }
        result["per_class"] = {
            name: {
                "AP": _mean(precision[:, :, index, _ALL, _AT_MOST_100]),
                "AP50": _mean(precision[0, :, index, _ALL, _AT_MOST_100]),
            }
            for index, name in enumerate(self.categories.names)
        }
        result["num_images"] = len(self._truth)
        result["num_objects"] = int(sum(np.sum(~is_crowd) for _, _, is_crowd, _ in self._truth.values()))
        return result

    def detections_json(self):
        """All detections in COCO's results format, picture by picture in the order they were added.

        Returns:
            List of dictionaries "image_id", "category_id" (the dataset's), "bbox" `[x, y, width, height]` in
            pixels of the original picture, and "score"; ready for `json.dump`.
        """
        return [
            row
            for image_id, (boxes, classes, scores) in self._detections.items()
            for row in _results(image_id, boxes, classes, scores, self.categories)
        ]

    def _accumulate(self):
        """pycocotools' precision (T, R, K, A, M) and recall (T, K, A, M) of everything added."""
        if not self._truth:
            num_classes = len(self.categories)
            return -np.ones((10, 101, num_classes, 4, 3)), -np.ones((10, num_classes, 4, 3))
        image_ids = sorted(self._truth)  # their order decides between equal scores
        pictures, boxes, classes, is_crowd, area = _joined([self._truth[number] for number in image_ids])
        truth = _Rows(pictures, boxes, classes, area, iscrowd=is_crowd.astype(int))
        pictures, boxes, classes, scores = _joined([self._detections[number] for number in image_ids])
        detections = _Rows(pictures, boxes, classes, boxes[:, 2] * boxes[:, 3], score=scores)
        # Class by class, each over the pictures that have anything of it: the same numbers in a fraction of
        # the memory (otherwise gigabytes for 5,000 pictures of 80 classes with 100 detections each).
        each = [_evaluate_class(truth.of(k), detections.of(k)) for k in range(len(self.categories))]
        return np.concatenate([p for p, _ in each], axis=2), np.concatenate([r for _, r in each], axis=1)


def coco_results(image_id, size, detections, categories):
    """One picture's detections in COCO's results format.

    Args:
        image_id: Integer id of the picture.
        size: `(height, width)` of the original picture in pixels.
        detections: Dictionary of "boxes" `(m, 4)` rel_yxyx, "classes" `(m,)` and "scores" `(m,)`; rows of
            class -1 are left out.
        categories: `Categories` that hold the dataset id of every class.

    Returns:
        List of dictionaries "image_id", "category_id", "bbox" `[x, y, width, height]` in pixels, "score".

    Raises:
        InputError: For a class the categories do not have, or a box or score that is not a finite number.
    """
    boxes, classes, keep = _real_rows(detections, image_id, "detections", categories)
    scores = _finite_scores(detections, image_id, keep)
    return list(_results(image_id, _to_pixels(boxes, size), classes, scores, categories))


def _results(image_id, boxes, classes, scores, categories):
    for box, index, score in zip(boxes, classes, scores, strict=True):
        yield {
            "image_id": int(image_id),
            "category_id": int(categories.ids[index]),
            "bbox": [round(float(side), 4) for side in box],  # finer than float32 can place a box
            "score": float(score),
        }


def _real_rows(objects, image_id, what, categories):
    """Boxes and classes of the rows that are not padding, and the mask that chose them."""
    boxes = np.asarray(objects["boxes"], np.float64).reshape(-1, 4)  # (n, 4)
    classes = np.asarray(objects["classes"]).astype(np.int64).reshape(-1)  # (n,)
    if len(boxes) != len(classes):
        raise InputError(f"The {what} of image {image_id} have {len(boxes)} boxes but {len(classes)} classes.")
    keep = classes >= 0
    boxes, classes = boxes[keep], classes[keep]
    if not np.isfinite(boxes).all():
        bad = boxes[~np.isfinite(boxes).all(axis=-1)][0].tolist()
        raise InputError(f"The {what} of image {image_id} contain a box that is not finite: {bad}.")
    if len(classes) and classes.max() >= len(categories):
        raise InputError(
            f"The {what} of image {image_id} contain class {classes.max()}, but there are only "
            f"{len(categories)} categories (classes 0 to {len(categories) - 1})."
        )
    return boxes, classes, keep


def _finite_scores(detections, image_id, keep):
    scores = np.asarray(detections["scores"], np.float64).reshape(-1)[keep]
    if not np.isfinite(scores).all():
        raise InputError(f"The detections of image {image_id} contain a score that is not a finite number.")
    return scores


def _to_pixels(boxes, size):
    """rel_yxyx `(n, 4)` -> x, y, width, height in pixels `(n, 4)`; an inside-out box gets a side of 0."""
    height, width = size
    top, left, bottom, right = (boxes * [height, width, height, width]).T
    return np.stack([left, top, np.maximum(right - left, 0), np.maximum(bottom - top, 0)], axis=-1)


def _joined(per_picture):
    """Tuples of arrays, one a picture -> the picture's number a row, then each array over all pictures."""
    pictures = np.repeat(np.arange(len(per_picture)), [len(arrays[0]) for arrays in per_picture])
    return pictures, *(np.concatenate(arrays) for arrays in zip(*per_picture, strict=True))


class _Rows:
    """Objects of all pictures as columns, from which one class at a time becomes COCO annotations."""

    def __init__(self, pictures, boxes, classes, area, **more):
        self.classes = classes
        self.columns = {"image_id": pictures, "bbox": boxes, "area": area, **more}

    def of(self, index):
        rows = np.flatnonzero(self.classes == index)
        columns = [column[rows].tolist() for column in self.columns.values()]
        names = ("id", *self.columns)
        # pycocotools takes an annotation id of 0 for "unmatched", so they count from 1; the dataset's own ids
        # come back only in `detections_json`.
        return [
            {"category_id": 1, **dict(zip(names, values, strict=True))}
            for values in zip(range(1, len(rows) + 1), *columns, strict=True)
        ]


def _evaluate_class(truth, detections):
    """Precision (T, R, 1, A, M) and recall (T, 1, A, M) of one class."""
    if not truth:  # nothing to find: pycocotools would say the same after looking at every detection
        return -np.ones((10, 101, 1, 4, 3)), -np.ones((10, 1, 4, 3))
    image_ids = sorted({row["image_id"] for row in truth} | {row["image_id"] for row in detections})
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        evaluation = COCOeval(_coco(truth, image_ids), _coco(detections, image_ids), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation.eval["precision"], evaluation.eval["recall"]


def _coco(annotations, image_ids):
    coco = COCO()
    coco.dataset = {
        "images": [{"id": image_id} for image_id in image_ids],
        "categories": [{"id": 1}],
        "annotations": annotations,
    }
    coco.createIndex()
    return coco


def _mean(values):
    """Mean of what is present; pycocotools marks what the data cannot tell with -1."""
    present = values[values > -1]
    # Its guard against dividing by zero costs a few units in the 16th digit: rounded, a perfect score is 1.
    return round(float(present.mean()), 9) if present.size else None

"""Average precision as COCO defines it: pycocotools, over every image that was shown to the detector."""

import numpy as np

from pix2seq_keras.errors import InputError
from pix2seq_keras.evaluation.accumulation import accumulate


class CocoEvaluator:
    """Collects truth and detections image by image, then scores them with pycocotools.

    Every image added counts: one without detections lowers recall, one without objects still turns its
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
        self._accumulated = None  # of everything added so far

    def __len__(self):
        return len(self._truth)

    def add(self, image_id, size, truth, detections):
        """Adds one image.

        Args:
            image_id: Integer, the image's id in its dataset; each may be added once.
            size: `(height, width)` of the original image in pixels.
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
            raise InputError(f"Image id {image_id} was added twice; every image may be evaluated once.")
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
        self._accumulated = None
        self._detections[image_id] = (_to_pixels(boxes, size), classes, scores)
        self._truth[image_id] = (truth_boxes, truth_classes, is_crowd, area)

    def result(self):
        """Scores what was added so far.

        Returns:
            Dictionary of COCO's twelve numbers "AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10",
            "AR100", "ARs", "ARm", "ARl", each a float in [0, 1] or None where nothing of that kind is in the
            data; "per_class" `{name: {"AP", "AP50"}}`; "num_images"; and "num_objects", crowds not counted.
        """
        counted = self.accumulated()
        precision, recall = counted.average_precision, counted.average_recall
        result = {
            "AP": precision(),
            "AP50": precision(iou=0.5),
            "AP75": precision(iou=0.75),
            "APs": precision(size="small"),
            "APm": precision(size="medium"),
            "APl": precision(size="large"),
            "AR1": recall(max_detections=1),
            "AR10": recall(max_detections=10),
            "AR100": recall(),
            "ARs": recall(size="small"),
            "ARm": recall(size="medium"),
            "ARl": recall(size="large"),
        }
        result["per_class"] = {
            name: {"AP": precision(class_=index), "AP50": precision(iou=0.5, class_=index)}
            for index, name in enumerate(self.categories.names)
        }
        result["num_images"] = len(self._truth)
        result["num_objects"] = int(sum(np.sum(~is_crowd) for _, _, is_crowd, _ in self._truth.values()))
        return result

    def detections_json(self):
        """All detections in COCO's results format, image by image in the order they were added.

        Returns:
            List of dictionaries "image_id", "category_id" (the dataset's), "bbox" `[x, y, width, height]` in
            pixels of the original image, and "score"; ready for `json.dump`.
        """
        return [
            row
            for image_id, (boxes, classes, scores) in self._detections.items()
            for row in _results(image_id, boxes, classes, scores, self.categories)
        ]

    def accumulated(self):
        """What the scores are made of: precision and recall, and which detection found which object.

        pycocotools runs once for everything that was added, whoever asks and how often.

        Returns:
            `pix2seq_keras.evaluation.accumulation.Accumulated`.

        Example:
        ```python
        result, evaluator = evaluate_source(model, source)
        curve = evaluator.accumulated().precision[0, :, 2, 0, -1]  # (101,) of class 2 at IoU 0.5
        ```
        """
        if self._accumulated is None:
            self._accumulated = accumulate(self._truth, self._detections, len(self.categories))
        return self._accumulated


def coco_results(image_id, size, detections, categories):
    """One image's detections in COCO's results format.

    Args:
        image_id: Integer id of the image.
        size: `(height, width)` of the original image in pixels.
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

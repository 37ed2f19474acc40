"""Average precision as COCO defines it: pycocotools, over every image that the detector was given."""

import numpy as np

from pix2seq_keras.errors import InputError
from pix2seq_keras.inference.coco_results import boxes_in_pixels, check_objects, check_scores, result_rows


class CocoEvaluator:
    """Collects ground truth and detections image by image, then scores them with pycocotools.

    Every added image counts: an image without detections lowers recall, and detections on an image without objects are
    false positives. Class 0 is a class like any other.

    Args:
        categories: `Categories`; class `i` has the name `categories.names[i]` and the dataset id `categories.ids[i]`.

    Example:
        >>> evaluator = CocoEvaluator(Categories(ids=(1,), names=("cell",)))
        >>> boxes = np.array([[0.1, 0.1, 0.5, 0.5]], "float32")
        >>> evaluator.add(
        ...     image_id=7,
        ...     size=(480, 640),
        ...     truth={"boxes": boxes, "classes": np.array([0])},
        ...     detections={"boxes": boxes, "classes": np.array([0]), "scores": np.array([0.9])},
        ... )
        >>> evaluator.result()["AP"]
        1.0
    """

    def __init__(self, categories):
        self.categories = categories
        self._sizes = {}  # image id -> (height, width) in pixels
        self._truth = {}  # image id -> (boxes rel_yxyx (n, 4), classes (n,), is_crowd (n,), area (n,) or None)
        self._detections = {}  # image id -> (boxes rel_yxyx (m, 4), classes (m,), scores (m,))
        self._accumulated = None  # result of pycocotools for everything added so far

    def __len__(self):
        return len(self._truth)

    def add(self, image_id, size, truth, detections):
        """Adds one image.

        Args:
            image_id: int, id of the image in its dataset; each image may be added once.
            size: `(height, width)` of the original image in pixels.
            truth: dictionary of `"boxes"` `(n, 4)`, `rel_yxyx`, and `"classes"` `(n,)`; optionally `"is_crowd"` bool
                `(n,)` (default: no crowds) and `"area"` `(n,)` in pixels² (default: the areas of the boxes). Rows of
                class -1 are padding.
            detections: dictionary of `"boxes"` `(m, 4)`, `rel_yxyx`, `"classes"` `(m,)` and `"scores"` `(m,)`. Rows of
                class -1 are padding. COCO uses at most the 100 best of each class.

        Raises:
            InputError: for an image id that was added before, a class that is not in the categories, or a box or score
                that is not finite.
        """
        image_id = int(image_id)
        if image_id in self._truth:
            raise InputError(f"`image_id` must be different for every image. Received: image_id={image_id} again.")
        truth_boxes, truth_classes, keep = check_objects(truth, image_id, "ground truth", self.categories)
        is_crowd = np.asarray(truth.get("is_crowd", np.zeros(keep.shape)), bool).reshape(-1)[keep]
        area = truth.get("area")
        if area is not None:
            area = np.asarray(area, np.float64).reshape(-1)[keep]
        boxes, classes, keep = check_objects(detections, image_id, "detections", self.categories)
        scores = check_scores(detections, image_id, keep)
        self._accumulated = None
        self._sizes[image_id] = tuple(size)
        self._detections[image_id] = (boxes, classes, scores)
        self._truth[image_id] = (truth_boxes, truth_classes, is_crowd, area)

    def result(self):
        """Scores everything that was added so far.

        Returns:
            Dictionary of COCO's twelve numbers `"AP"`, `"AP50"`, `"AP75"`, `"APs"`, `"APm"`, `"APl"`, `"AR1"`,
            `"AR10"`, `"AR100"`, `"ARs"`, `"ARm"`, `"ARl"`, each a float in [0, 1] or `None` if the data has no such
            object; `"per_class"`, `{name: {"AP", "AP50"}}`; `"num_images"`; and `"num_objects"` without crowds.
        """
        accumulated = self.accumulate()
        precision, recall = accumulated.average_precision, accumulated.average_recall
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
        """All detections in COCO's results format, in the order in which the images were added.

        Returns:
            List of dictionaries with `"image_id"`, `"category_id"` (of the dataset), `"bbox"` `[x, y, width, height]`
            in pixels of the original image, and `"score"`; ready for `json.dump`.
        """
        pixel_boxes = self._pixel_boxes(self._detections)
        return [
            row
            for image_id, (_, classes, scores) in self._detections.items()
            for row in result_rows(image_id, pixel_boxes[image_id], classes, scores, self.categories)
        ]

    def accumulate(self):
        """Precision and recall by class, and which detection matched which object.

        pycocotools runs once for everything that was added; later calls return the same object.

        Returns:
            `pix2seq_keras.evaluation.accumulation.Accumulated`.

        Example:
            >>> result, evaluator = evaluate_source(model, source)
            >>> evaluator.accumulate().precision[0, :, 2, 0, -1].shape  # the curve of class 2 at IoU 0.5
            (101,)
        """
        if self._accumulated is None:
            from pix2seq_keras.evaluation.accumulation import accumulate  # imports pycocotools, on first use

            boxes = self._pixel_boxes(self._truth)
            truth = {
                image_id: (boxes[image_id], classes, is_crowd, _areas(boxes[image_id]) if area is None else area)
                for image_id, (_, classes, is_crowd, area) in self._truth.items()
            }
            boxes = self._pixel_boxes(self._detections)
            detections = {image_id: (boxes[image_id], *columns) for image_id, (_, *columns) in self._detections.items()}
            self._accumulated = accumulate(truth, detections, len(self.categories))
        return self._accumulated

    def _pixel_boxes(self, objects):
        """The boxes of all images as `xywh` in pixels, `{image id: (n, 4)}`, in one conversion."""
        counts = [len(columns[0]) for columns in objects.values()]
        boxes = np.concatenate([np.zeros((0, 4)), *(columns[0] for columns in objects.values())])
        sizes = [self._sizes[image_id] for image_id in objects]
        pixel_boxes = boxes_in_pixels(boxes, np.repeat(np.reshape(sizes, (-1, 2)), counts, axis=0))
        return dict(zip(objects, np.split(pixel_boxes, np.cumsum(counts, dtype=int)[:-1]), strict=False))


def _areas(pixel_boxes):
    return pixel_boxes[:, 2] * pixel_boxes[:, 3]

"""Collects the numbers of the report on an evaluation: scores and errors by class, size and image."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pix2seq_keras.data import Source
from pix2seq_keras.evaluation.accumulation import Accumulated
from pix2seq_keras.evaluation.error_types import ERROR_TYPES, Errors, find_errors
from pix2seq_keras.evaluation.object_sizes import SIZE_LIMITS, SIZES
from pix2seq_keras.evaluation.operating_points import OperatingPoint, operating_points

_EDGES = (0, *(limit**2 for limit in SIZE_LIMITS), np.inf)
# As in pycocotools, an area exactly at a limit belongs to both sizes.
_AREA_RANGES = {size: _EDGES[index : index + 2] for index, size in enumerate(SIZES)}


@dataclass(frozen=True)
class ClassScores:
    """The scores of one class.

    Args:
        class_: int, the class.
        name: str, name of the class.
        num_objects: int, number of objects without crowds.
        ap: float, COCO's AP, the mean over IoU 0.5 to 0.95; as all fields below, `None` if the class has no objects.
        ap50: float, AP at IoU 0.5.
        ap75: float, AP at IoU 0.75.
        max_recall: float, recall of all detections, at most 100 per image, at IoU 0.5.
        ap50_by_size: dictionary from `SIZES` to AP50, each `None` if the class has no objects of this size.
        point: `OperatingPoint` at the threshold with the best F1.
        curve: float `(101,)`, precision at recall 0, 0.01, … 1 and IoU 0.5; -1 if the class has no objects.
    """

    class_: int
    name: str
    num_objects: int
    ap: float | None
    ap50: float | None
    ap75: float | None
    max_recall: float | None
    ap50_by_size: Mapping[str, float | None]
    point: OperatingPoint
    curve: np.ndarray


@dataclass(frozen=True)
class ImageScores:
    """The errors of one image at the thresholds of the classes.

    Args:
        image_id: int, id of the image in its dataset.
        true_positives: int, number of detections that match an object.
        false_positives: int, number of all other detections.
        false_negatives: int, number of objects without a match.
        error_types: dictionary from `ERROR_TYPES` to the number of false positives, without zeros.
    """

    image_id: int
    true_positives: int
    false_positives: int
    false_negatives: int
    error_types: Mapping[str, int]

    @property
    def num_errors(self):
        """Number of false positives and false negatives."""
        return self.false_positives + self.false_negatives


@dataclass(frozen=True)
class EvaluationReport:
    """The content of the page on an evaluation.

    Args:
        details: dictionary from name to text, what was evaluated and with which options.
        source: `Source`, the data.
        result: dictionary of `evaluate_source`.
        accumulated: `Accumulated`.
        classes: list of `ClassScores`, in the order of the categories of the data.
        errors: `Errors`.
        error_counts: int `(K, 6)`, number of errors by class and by `ERROR_TYPES`.
        images: list of `ImageScores`, sorted by image id.
    """

    details: Mapping[str, str]
    source: Source
    result: Mapping
    accumulated: Accumulated
    classes: list[ClassScores]
    errors: Errors
    error_counts: np.ndarray
    images: list[ImageScores]

    def images_with_most_errors(self, count=12):
        """The images with the most errors; equal numbers are sorted by image id, images without errors are left out.

        Args:
            count: int, maximum number of images. Defaults to 12.

        Returns:
            List of `ImageScores`.
        """
        images = sorted(self.images, key=lambda image: (-image.num_errors, image.image_id))[:count]
        return [image for image in images if image.num_errors]

    def images_with_fewest_errors(self, count=4, exclude=()):
        """The images with the fewest errors; of equal numbers, those with the most true positives.

        Args:
            count: int, maximum number of images. Defaults to 4.
            exclude: sequence of `ImageScores` to leave out. Defaults to none.

        Returns:
            List of `ImageScores`.
        """
        images = [image for image in self.images if image not in exclude]
        return sorted(images, key=lambda image: (image.num_errors, -image.true_positives, image.image_id))[:count]

    def num_objects_of_size(self, size):
        """Counts the objects of one of COCO's sizes, without crowds.

        Args:
            size: str, one of `SIZES`. An object exactly at the limit of two sizes counts for both.

        Returns:
            int.
        """
        smallest, largest = _AREA_RANGES[size]
        areas = self.accumulated.ground_truth.areas[~self.accumulated.ground_truth.is_crowd]
        return int(((areas >= smallest) & (areas <= largest)).sum())


def build_evaluation_report(evaluator, result, source, details):
    """Collects the content of the page on an evaluation.

    Args:
        evaluator: `CocoEvaluator` of `evaluate_source`.
        result: dictionary of `evaluate_source`.
        source: `Source`, the data.
        details: dictionary from name to text, what was evaluated and with which options, shown at the top of the page.

    Returns:
        `EvaluationReport`. It contains no images; they are read again when the page is written.

    Example:
        >>> result, evaluator = evaluate_source(model, source)
        >>> report = build_evaluation_report(evaluator, result, source, {"model": "runs/mine"})
        >>> write_evaluation_page(report, "report.html")
    """
    names = evaluator.categories.names
    accumulated = evaluator.accumulate()
    points = operating_points(accumulated, len(names))
    errors = find_errors(accumulated, [point.threshold for point in points])
    return EvaluationReport(
        details=details,
        source=source,
        result=result,
        accumulated=accumulated,
        classes=_class_scores(accumulated, names, points),
        errors=errors,
        error_counts=errors.count_by_class(accumulated, len(names)),
        images=_image_scores(accumulated, errors),
    )


def _class_scores(accumulated, names, points):
    ground_truth, ap = accumulated.ground_truth, accumulated.average_precision
    counts = np.bincount(ground_truth.classes[~ground_truth.is_crowd], minlength=len(names))
    return [
        ClassScores(
            class_=class_,
            name=name,
            num_objects=int(counts[class_]),
            ap=ap(class_=class_),
            ap50=ap(iou=0.5, class_=class_),
            ap75=ap(iou=0.75, class_=class_),
            max_recall=accumulated.average_recall(iou=0.5, class_=class_),
            ap50_by_size={size: ap(iou=0.5, class_=class_, size=size) for size in SIZES},
            point=points[class_],
            curve=accumulated.precision[0, :, class_, 0, -1],
        )
        for class_, name in enumerate(names)
    ]


def _image_scores(accumulated, errors):
    count = len(accumulated.image_ids)
    image_of_detection, image_of_object = accumulated.detections.images, accumulated.ground_truth.images
    true_positives = np.bincount(image_of_detection[errors.is_true_positive], minlength=count).tolist()
    false_negatives = np.bincount(image_of_object[errors.is_false_negative], minlength=count).tolist()
    is_wrong, error_types = errors.is_false_positive, np.zeros((count, len(ERROR_TYPES)), int)
    np.add.at(error_types, (image_of_detection[is_wrong], errors.error_types[is_wrong]), 1)
    return [
        ImageScores(
            image_id=int(image_id),
            true_positives=true_positives[index],
            false_positives=int(error_types[index].sum()),
            false_negatives=false_negatives[index],
            error_types={name: int(n) for name, n in zip(ERROR_TYPES, error_types[index], strict=True) if n},
        )
        for index, image_id in enumerate(accumulated.image_ids)
    ]

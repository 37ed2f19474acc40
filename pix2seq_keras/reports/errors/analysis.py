"""Why an AP is what it is: the numbers behind an evaluation."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pix2seq_keras.data import Source
from pix2seq_keras.evaluation.accumulation import Accumulated
from pix2seq_keras.evaluation.error_types import ERROR_TYPES, Errors, find_errors
from pix2seq_keras.evaluation.operating_points import OperatingPoint, operating_points
from pix2seq_keras.reports.dataset.statistics import SIZES

# As pycocotools takes them: an object of just 32² or 96² pixels belongs to both of its neighbours.
_AREAS = {"small": (0, 32**2), "medium": (32**2, 96**2), "large": (96**2, np.inf)}


@dataclass(frozen=True)
class ClassScores:
    """One class.

    Args:
        class_: its place among the categories.
        name: of the class.
        objects: how many there are, crowds not counted.
        ap: COCO's AP, at IoU 0.5 to 0.95; as all that follows None where the class has no objects.
        ap50: at IoU 0.5.
        ap75: at IoU 0.75.
        most_recall: at IoU 0.5, of all detections, at most 100 an image.
        ap50_by_size: those of `SIZES`, each None where the class has no object of it.
        point: the class at the threshold of its best F1.
        curve: float `(101,)`, precision at recall 0, 0.01, … 1 at IoU 0.5; -1 where the class has no objects.
    """

    class_: int
    name: str
    objects: int
    ap: float | None
    ap50: float | None
    ap75: float | None
    most_recall: float | None
    ap50_by_size: Mapping[str, float | None]
    point: OperatingPoint
    curve: np.ndarray


@dataclass(frozen=True)
class ImageScores:
    """One image at the thresholds of its classes.

    Args:
        image_id: of the data set.
        right: detections that found an object.
        wrong: the others.
        unfound: objects that none found.
        kinds: the wrong ones by kind, `{kind: count}` in the order of `ERROR_TYPES`, without zeros.
    """

    image_id: int
    right: int
    wrong: int
    unfound: int
    kinds: Mapping[str, int]

    @property
    def errors(self):
        """What is wrong and what was not found."""
        return self.wrong + self.unfound


@dataclass(frozen=True)
class EvaluationReport:
    """What a page about an evaluation tells.

    Args:
        about: `{name: text}`, what was evaluated and how.
        source: the data.
        result: of `evaluate_source`.
        accumulated: of its evaluator.
        classes: scores of every class, in the order of the data's categories.
        errors: of every detection and object.
        error_counts: int `(K, 6)`, by class and by `ERROR_TYPES`.
        images: scores of every image, by rising image id.
    """

    about: Mapping[str, str]
    source: Source
    result: Mapping
    accumulated: Accumulated
    classes: list[ClassScores]
    errors: Errors
    error_counts: np.ndarray
    images: list[ImageScores]

    def worst(self, count=12):
        """The images with most errors, those with none left out; equals by rising image id."""
        chosen = sorted(self.images, key=lambda one: (-one.errors, one.image_id))[:count]
        return [one for one in chosen if one.errors]

    def best(self, count=4, besides=()):
        """The images with fewest errors, of equals those with most right; none of `besides`."""
        others = [one for one in self.images if one not in besides]
        return sorted(others, key=lambda one: (one.errors, -one.right, one.image_id))[:count]

    def objects_of_size(self, size):
        """How many objects of a size COCO counts, crowds left out; one on an edge counts on both of its sides."""
        least, most = _AREAS[size]
        areas = self.accumulated.objects.areas[~self.accumulated.objects.is_crowd]
        return int(((areas >= least) & (areas <= most)).sum())


def report_evaluation(evaluator, result, source, about):
    """Collects what a page about an evaluation tells.

    Args:
        evaluator: `CocoEvaluator`, of `evaluate_source`.
        result: dict, of `evaluate_source`.
        source: `Source`, that was evaluated on.
        about: dict, `{name: text}`, what was evaluated and how, for the head of the page.

    Returns:
        An `EvaluationReport`. It holds no image.

    Example:
        >>> result, evaluator = evaluate_source(model, source)
        >>> report = report_evaluation(evaluator, result, source, {"model": "runs/mine"})
        >>> write_evaluation_page(report, "report.html")
    """
    names = evaluator.categories.names
    accumulated = evaluator.accumulated()
    points = operating_points(accumulated, len(names))
    errors = find_errors(accumulated, [point.threshold for point in points])
    return EvaluationReport(
        about=about,
        source=source,
        result=result,
        accumulated=accumulated,
        classes=_class_scores(accumulated, names, points),
        errors=errors,
        error_counts=errors.by_class(accumulated, len(names)),
        images=_image_scores(accumulated, errors),
    )


def _class_scores(accumulated, names, points):
    objects, ap = accumulated.objects, accumulated.average_precision
    counts = np.bincount(objects.classes[~objects.is_crowd], minlength=len(names))
    return [
        ClassScores(
            class_=class_,
            name=name,
            objects=int(counts[class_]),
            ap=ap(class_=class_),
            ap50=ap(iou=0.5, class_=class_),
            ap75=ap(iou=0.75, class_=class_),
            most_recall=accumulated.average_recall(iou=0.5, class_=class_),
            ap50_by_size={size: ap(iou=0.5, class_=class_, size=size) for size in SIZES},
            point=points[class_],
            curve=accumulated.precision[0, :, class_, 0, -1],
        )
        for class_, name in enumerate(names)
    ]


def _image_scores(accumulated, errors):
    count = len(accumulated.image_ids)
    detected, there = accumulated.detections.images, accumulated.objects.images
    right = np.bincount(detected[errors.is_right], minlength=count).tolist()
    unfound = np.bincount(there[errors.is_unfound], minlength=count).tolist()
    kinds = np.zeros((count, len(ERROR_TYPES)), int)
    np.add.at(kinds, (detected[errors.is_wrong], errors.kinds[errors.is_wrong]), 1)
    return [
        ImageScores(
            image_id=int(image_id),
            right=right[place],
            wrong=int(kinds[place].sum()),
            unfound=unfound[place],
            kinds={kind: int(n) for kind, n in zip(ERROR_TYPES, kinds[place], strict=True) if n},
        )
        for place, image_id in enumerate(accumulated.image_ids)
    ]

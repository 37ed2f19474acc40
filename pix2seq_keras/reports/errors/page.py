"""Writes the report on an evaluation as one HTML page."""

import math
import warnings

from pix2seq_keras.evaluation.error_types import ERROR_TYPES
from pix2seq_keras.evaluation.object_sizes import SIZE_LIMITS, SIZES
from pix2seq_keras.reports.errors.evaluated_images import EvaluatedImages
from pix2seq_keras.reports.errors.plots import most_frequent, plot_curves
from pix2seq_keras.reports.formatting import count_and_percent, escape_html, shorten_path
from pix2seq_keras.reports.html_parts import html_figure, html_issues, html_plot, html_table, write_html_page

_METRICS = {
    "AP": "IoU 0.5 to 0.95",
    "AP50": "IoU 0.5",
    "AP75": "IoU 0.75",
    "APs": "small objects",
    "APm": "medium objects",
    "APl": "large objects",
    "AR1": "at most 1 detection per class and image",
    "AR10": "at most 10 detections per class and image",
    "AR100": "at most 100 detections per class and image",
    "ARs": "small objects",
    "ARm": "medium objects",
    "ARl": "large objects",
}
_DESCRIPTIONS = {
    "localisation": "correct class, inaccurate box: IoU 0.1 to 0.5 with an object of the class",
    "classification": "accurate box, wrong class: IoU of at least 0.5 with an object of another class",
    "duplicate": "a detection with a higher score already matches the object",
    "background": "no object: IoU below 0.1 with every object",
    "both": "wrong class and inaccurate box: IoU 0.1 to 0.5 with an object of another class",
    "missed": "an object without a match and without a localisation or classification error",
}


def write_evaluation_page(report, path, num_most_errors=12, num_fewest_errors=4):
    """Writes the report as one HTML file.

    Args:
        report: `EvaluationReport` of `build_evaluation_report`.
        path: str or path, the file to write.
        num_most_errors: int, number of images with the most errors to show. Defaults to 12.
        num_fewest_errors: int, number of images with the fewest errors to show. Defaults to 4.

    Raises:
        InputError: if the file cannot be written.

    Example:
        >>> result, evaluator = evaluate_source(model, source)
        >>> report = build_evaluation_report(evaluator, result, source, {"model": "runs/mine"})
        >>> write_evaluation_page(report, "report.html")
    """
    title = f"{report.details.get('model', 'model')} on {report.source.name} {report.source.split}"
    parts = [
        f"<h1>{escape_html(title)}</h1>",
        _summary_section(report),
        _classes_section(report),
        _sizes_section(report),
        _errors_section(report),
        _images_section(report, num_most_errors, num_fewest_errors),
    ]
    write_html_page(path, title, parts)


def _summary_section(report):
    result = report.result
    rows = [[escape_html(name), escape_html(text)] for name, text in report.details.items()]
    rows += [
        ["images", f"{result['num_images']:,}"],
        ["objects", f"{result['num_objects']:,}"],
        ["images that cannot be read, left out", f"{result['unreadable_images']:,}"],
        ["seconds", f"{result['seconds']:.1f}"],
    ]
    metrics = [[name, meaning, _number(result[name])] for name, meaning in _METRICS.items()]
    return "\n".join(
        [
            f"<div class='details'>{html_table(['', ''], rows)}</div>",
            html_table(["COCO metric", "", ""], metrics),
            html_issues(list(report.source.issues)),
        ]
    )


def _classes_section(report):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # characters that the font of the plot lacks
        png = plot_curves(report.classes)
    head = ["class", "objects", "AP", "AP50", "AP75", "max recall", "best F1", "threshold", "precision", "recall"]
    num_plotted = len(most_frequent(report.classes))
    num_with_objects = sum(1 for scores in report.classes if scores.num_objects)
    which = "all classes with objects"
    if num_plotted < num_with_objects:
        which = f"the {num_plotted} most frequent of {num_with_objects} classes"
    return "\n".join(
        [
            "<h2>Classes</h2>",
            html_table(head, [_class_row(scores) for scores in _by_frequency(report.classes)]),
            "<p>The columns from “max recall” on are at IoU 0.5. “max recall” is the recall of all detections, at most "
            "100 per class and image. “threshold” is the score with the best F1, and “precision” and “recall” are "
            "those of detections from this score on. A class without true positives has the threshold of all classes "
            "together (in brackets).</p>",
            html_plot(png, "precision against recall"),
            f"<p>Precision against recall at IoU 0.5, {which}. As in AP, the precision at a recall is the best at this "
            "or any higher recall, so AP50 is the area under the curve. The points are the best F1, with the actual "
            "precision.</p>",
        ]
    )


def _class_row(scores):
    point = scores.point
    # The threshold is -inf if no class has a true positive.
    threshold = "all" if math.isinf(point.threshold) else f"{point.threshold:.3f}"
    numbers = [scores.ap, scores.ap50, scores.ap75, scores.max_recall, point.f1]
    return [
        escape_html(scores.name),
        f"{scores.num_objects:,}",
        *map(_number, numbers),
        threshold if point.has_own_threshold else f"({threshold})",
        _number(point.precision),
        _number(point.recall),
    ]


def _sizes_section(report):
    accumulated, (small, medium) = report.accumulated, SIZE_LIMITS
    rows = [
        [
            size,
            f"{report.num_objects_of_size(size):,}",
            _number(accumulated.average_precision(size=size)),
            _number(accumulated.average_precision(iou=0.5, size=size)),
            _number(accumulated.average_recall(size=size)),
        ]
        for size in SIZES
    ]
    classes = [
        [escape_html(scores.name), *(_number(scores.ap50_by_size[size]) for size in SIZES)]
        for scores in _by_frequency(report.classes)
        if scores.num_objects
    ]
    return "\n".join(
        [
            "<h2>Object sizes</h2>",
            html_table(["size", "objects", "AP", "AP50", "AR"], rows),
            f"<p>COCO's sizes, in pixels of the original image: small objects have an area of at most {small}², large "
            f"objects of at least {medium}².</p>",
            f"<h3>AP50 by class and size</h3>{html_table(['class', *SIZES], classes)}",
        ]
    )


def _errors_section(report):
    counts, classes = report.error_counts, report.classes
    total, by_type = int(counts.sum()), counts.sum(0).tolist()
    type_rows = [
        [error_type, count_and_percent(count, total), f"<span class='note'>{_DESCRIPTIONS[error_type]}</span>"]
        for error_type, count in zip(ERROR_TYPES, by_type, strict=True)
    ]
    order = sorted(range(len(classes)), key=lambda class_: -int(counts[class_].sum()))
    class_rows = [
        [
            escape_html(classes[class_].name),
            *(count_and_percent(count, int(counts[class_].sum())) for count in counts[class_].tolist()),
        ]
        for class_ in order
        if counts[class_].any()
    ]
    true_positives, false_positives = (
        int(report.errors.is_true_positive.sum()),
        int(report.errors.is_false_positive.sum()),
    )
    false_negatives = int(report.errors.is_false_negative.sum())
    return "\n".join(
        [
            "<h2>Errors</h2>",
            f"<p>At the thresholds of the classes and IoU 0.5: true positives {true_positives:,}; false positives "
            f"{false_positives:,}; false negatives {false_negatives:,}, of which missed {by_type[-1]:,}.</p>",
            html_table(["type", "errors", ""], type_rows),
            "<p>The types are those of TIDE (Bolya et al., ECCV 2020, section 2). Crowds and detections on crowds are "
            "left out.</p>",
            "<h3>Errors by class</h3>",
            "<p>A false positive counts for the class of the detection, a missed object for the class of the object."
            "</p>",
            html_table(["class", *ERROR_TYPES], class_rows),
        ]
    )


def _images_section(report, num_most_errors, num_fewest_errors):
    images = EvaluatedImages(report)
    most = report.images_with_most_errors(num_most_errors)
    fewest = report.images_with_fewest_errors(num_fewest_errors, exclude=most)
    figures = lambda selected: "".join(_image_figure(images, scores) for scores in selected)
    return "\n".join(
        [
            "<h2>Images with the most errors</h2>",
            "<p>Errors are false positives and false negatives. White dashed boxes are the ground truth with crowds, "
            "coloured boxes are the detections from the threshold of their class on.</p>",
            f"<div class='wide'>{figures(most) or 'There are no errors.'}</div>",
            "<h2>Images with the fewest errors</h2>",
            f"<div class='wide'>{figures(fewest)}</div>",
        ]
    )


def _image_figure(images, scores):
    types = ", ".join(f"{count} {error_type}" for error_type, count in scores.error_types.items())
    caption = (
        f"{scores.image_id}: {escape_html(shorten_path(images.label(scores.image_id)))}<br>"
        f"true positives {scores.true_positives}, false positives {scores.false_positives}"
        f"{f' ({types})' if types else ''}, false negatives {scores.false_negatives}"
    )
    return html_figure(images.draw(scores.image_id), caption)


def _by_frequency(classes):
    return sorted(classes, key=lambda scores: -scores.num_objects)


def _number(value):
    return "—" if value is None else f"{value:.3f}"

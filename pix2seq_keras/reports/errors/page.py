"""The report on an evaluation as one HTML page."""

import math
import warnings

from pix2seq_keras.evaluation.error_types import ERROR_TYPES
from pix2seq_keras.reports.dataset.statistics import SIZES
from pix2seq_keras.reports.errors.evaluated_images import EvaluatedImages
from pix2seq_keras.reports.errors.plots import most_frequent, plot_curves
from pix2seq_keras.reports.formatting import markup, share, short_path
from pix2seq_keras.reports.html_parts import figure, issues_by_kind, plot, table, write_parts

_SCORES = {
    "AP": "IoU 0.5 to 0.95",
    "AP50": "IoU 0.5",
    "AP75": "IoU 0.75",
    "APs": "small",
    "APm": "medium",
    "APl": "large",
    "AR1": "at most 1 detection",
    "AR10": "at most 10",
    "AR100": "at most 100",
    "ARs": "small",
    "ARm": "medium",
    "ARl": "large",
}
_KINDS = {
    "localisation": "the class is right, the box too far off: IoU from 0.1 to 0.5 with an object of the class",
    "classification": "the box is right, the class wrong: IoU of 0.5 or more with an object of another class",
    "duplicate": "a detection of a higher score has found the object already",
    "background": "nothing is there: IoU below 0.1 with every object",
    "both": "class and box are wrong: IoU from 0.1 to 0.5 with an object of another class",
    "missed": "an object that is not found, and that none of the errors of localisation or classification is about",
}


def write_evaluation_page(report, path, num_worst=12, num_best=4):
    """Writes the report as one HTML file.

    Args:
        report: `EvaluationReport`, of `report_evaluation`.
        path: the file.
        num_worst: int, images with most errors to show.
        num_best: int, images with fewest errors to show.

    Raises:
        InputError: if it cannot be written.
    """
    title = f"{report.about.get('model', 'model')} on {report.source.name} {report.source.split}"
    parts = [
        f"<h1>{markup(title)}</h1>",
        _head(report),
        _classes(report),
        _sizes(report),
        _errors(report),
        _images(report, num_worst, num_best),
    ]
    write_parts(path, title, parts)


def _head(report):
    result = report.result
    rows = [[markup(name), markup(text)] for name, text in report.about.items()]
    rows += [
        ["images", f"{result['num_images']:,}"],
        ["objects", f"{result['num_objects']:,}"],
        ["images that could not be read, left out", f"{result['unreadable_images']:,}"],
        ["seconds", f"{result['seconds']:.1f}"],
    ]
    scores = [[name, meaning, _number(result[name])] for name, meaning in _SCORES.items()]
    return "\n".join(
        [
            f"<div class='about'>{table(['', ''], rows)}</div>",
            table(["COCO's numbers", "", ""], scores),
            issues_by_kind(list(report.source.issues)),
        ]
    )


def _classes(report):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # letters that the plot's font lacks
        drawn = plot_curves(report.classes)
    ordered = sorted(report.classes, key=lambda one: -one.objects)
    head = ["class", "objects", "AP", "AP50", "AP75", "highest recall", "best F1", "at score", "precision", "recall"]
    shown, there = len(most_frequent(report.classes)), sum(1 for one in report.classes if one.objects)
    which = f"the {shown} most frequent of {there} classes" if shown < there else "the classes"
    return "\n".join(
        [
            "<h2>By class</h2>",
            table(head, [_class_row(one) for one in ordered]),
            "<p>From the highest recall on, all at IoU 0.5. The highest recall is that of all detections, at most 100 "
            "of the class on an image. The score is the threshold of the best F1; a class of which no detection is "
            "right takes that of all classes together (in brackets).</p>",
            plot(drawn, "precision against recall"),
            f"<p>Precision against recall at IoU 0.5, {which}. As in AP, precision is the best at a recall or a higher "
            "one: AP50 is the area. Points: the best F1, with the precision just there.</p>",
        ]
    )


def _class_row(one):
    point = one.point
    # Where nothing is right anywhere, every detection counts, whatever its score.
    score = "all" if math.isinf(point.threshold) else f"{point.threshold:.3f}"
    numbers = [one.ap, one.ap50, one.ap75, one.most_recall, point.f1]
    return [
        markup(one.name),
        f"{one.objects:,}",
        *map(_number, numbers),
        score if point.is_own else f"({score})",
        _number(point.precision),
        _number(point.recall),
    ]


def _sizes(report):
    accumulated = report.accumulated
    rows = [
        [
            size,
            f"{report.objects_of_size(size):,}",
            _number(accumulated.average_precision(size=size)),
            _number(accumulated.average_precision(iou=0.5, size=size)),
            _number(accumulated.average_recall(size=size)),
        ]
        for size in SIZES
    ]
    classes = [
        [markup(one.name), *(_number(one.ap50_by_size[size]) for size in SIZES)]
        for one in sorted(report.classes, key=lambda one: -one.objects)
        if one.objects
    ]
    return "\n".join(
        [
            "<h2>By size</h2>",
            table(["", "objects", "AP", "AP50", "AR"], rows),
            "<p>As COCO has it: small objects have at most 32² pixels, large ones at least 96², in the image's own "
            "pixels.</p>",
            f"<h3>AP50 by class and size</h3>{table(['class', *SIZES], classes)}",
        ]
    )


def _errors(report):
    counts, classes = report.error_counts, report.classes
    total = int(counts.sum())
    everything = counts.sum(0).tolist()
    by_kind = [
        [kind, share(count, total), f"<span class='note'>{_KINDS[kind]}</span>"]
        for kind, count in zip(ERROR_TYPES, everything, strict=True)
    ]
    order = sorted(range(len(classes)), key=lambda class_: -int(counts[class_].sum()))
    by_class = [
        [markup(classes[class_].name), *(share(n, int(counts[class_].sum())) for n in counts[class_].tolist())]
        for class_ in order
        if counts[class_].any()
    ]
    right, wrong = int(report.errors.is_right.sum()), int(report.errors.is_wrong.sum())
    unfound = int(report.errors.is_unfound.sum())
    return "\n".join(
        [
            "<h2>Where the errors come from</h2>",
            f"<p>Above the thresholds of the classes, at IoU 0.5: detections that are right {right:,}, wrong "
            f"{wrong:,}; objects not found {unfound:,}, of which missed altogether {everything[-1]:,}.</p>",
            table(["kind", "errors", ""], by_kind),
            "<p>The kinds are those of TIDE (Bolya et al., ECCV 2020, section 2). Crowds are left out, and so are "
            "detections on them.</p>",
            "<h3>By class: the one a detection names, a missed object's own</h3>",
            table(["class", *ERROR_TYPES], by_class),
        ]
    )


def _images(report, num_worst, num_best):
    images = EvaluatedImages(report)
    worst = report.worst(num_worst)
    best = report.best(num_best, worst)
    shown = lambda chosen: "".join(_image(images, one) for one in chosen)
    return "\n".join(
        [
            "<h2>The worst images</h2>",
            "<p>Those with most errors: wrong detections and objects not found. White dashes are the truth, crowds "
            "included, colours what was found, from the thresholds of the classes on.</p>",
            f"<div class='wide'>{shown(worst) or 'There is no error.'}</div>",
            "<h2>The best images</h2>",
            f"<div class='wide'>{shown(best)}</div>",
        ]
    )


def _image(images, one):
    kinds = ", ".join(f"{count} {kind}" for kind, count in one.kinds.items())
    caption = (
        f"{one.image_id}: {markup(short_path(images.label(one.image_id)))}<br>{one.right} right, {one.wrong} wrong"
        f"{f' ({kinds})' if kinds else ''}, {one.unfound} not found"
    )
    return figure(images.draw(one.image_id), caption)


def _number(value):
    return "—" if value is None else f"{value:.3f}"

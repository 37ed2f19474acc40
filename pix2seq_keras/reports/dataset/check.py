"""A look at a whole source before an hour is spent on training on it."""

from dataclasses import dataclass

from pix2seq_keras.data import Source, open_source
from pix2seq_keras.data.issues import Issue
from pix2seq_keras.data.split_names import annotation_file, list_splits
from pix2seq_keras.errors import InputError
from pix2seq_keras.reports.dataset.duplicates import near_duplicates
from pix2seq_keras.reports.dataset.fingerprints import Fingerprint
from pix2seq_keras.reports.dataset.scan import Look, look_at_images
from pix2seq_keras.reports.dataset.statistics import summarize
from pix2seq_keras.reports.formatting import short_path


@dataclass(frozen=True)
class SplitReport:
    """What was found in one split.

    Args:
        name: of the split.
        source: it, open.
        summary: see `summarize`.
        issues: every issue, problems and notes.
        file: the annotation file whose records the issues number; None where they name files themselves.
        looks: the images that could be read.
    """

    name: str
    source: Source
    summary: dict
    issues: list[Issue]
    file: str | None
    looks: list[Look]


@dataclass(frozen=True)
class Duplicate:
    """One of several images that look the same: its split, its place there, and its path or name."""

    split: str
    index: int
    label: str


@dataclass(frozen=True)
class DataReport:
    """What was found in a source.

    Args:
        source: as the user wrote it.
        splits: those that could be opened.
        closed: split -> sentence, those that could not.
        duplicates: groups of images that look the same.
        issues: what concerns several splits, or one that could not be opened.
    """

    source: str
    splits: list[SplitReport]
    closed: dict[str, str]
    duplicates: list[list[Duplicate]]
    issues: list[Issue]

    @property
    def num_issues(self):
        """All issues, problems and notes."""
        return len(self.issues) + sum(len(split.issues) for split in self.splits)

    def obstacle(self):
        """Why the source cannot be trained on, a sentence; None if it can.

        It can if a split whose name begins with "train" has an image with objects, or, where there is none of that
        name, any split.
        """
        names = [split.name for split in self.splits] + list(self.closed)
        train = [name for name in names if name.startswith("train")] or names
        if any(split.summary["objects"] for split in self.splits if split.name in train):
            return None
        reasons = [self.closed[name] for name in train if name in self.closed]
        reasons += [
            f"Not one image of the split {split.name!r} that can be read has a usable object."
            for split in self.splits
            if split.name in train
        ]
        return " ".join(reasons)

    def to_dict(self):
        """The whole report as plain values, for JSON; every issue and every group of duplicates is in it."""
        return {
            "source": self.source,
            "usable": self.obstacle() is None,
            "num_issues": self.num_issues,
            "splits": {
                split.name: {**split.summary, "issues": [_plain(f, split.file) for f in split.issues]}
                for split in self.splits
            },
            "unopened_splits": self.closed,
            "near_duplicates": [[vars(image) for image in group] for group in self.duplicates],
            "issues": [_plain(issue, None) for issue in self.issues],
        }


def check_source(
    source,
    splits=None,
    max_objects=100,
    progress=None,
    shown=12,
):
    """Reads all images of a source and tells what it holds, and every issue.

    Args:
        source: str, as `open_source` takes it.
        splits: list of str or `None`, which to look at. Defaults to all; then one that cannot be opened is told in the
            report.
        max_objects: int, objects a training sequence holds.
        progress: function (title, total) giving a context manager that yields `advance()`, such as `progress_bar`.
        shown: int, thumbnails to keep of each split.

    Returns:
        A `DataReport`.

    Raises:
        InputError: if the source, or a split that was named, cannot be opened.

    Example:
        >>> report = check_source("coco:data/bccd")
        >>> report.splits[0].summary["objects"], report.num_issues
        (2741, 1)
    """
    if max_objects < 1:
        raise InputError(f"max_objects must be at least 1. Received: max_objects={max_objects}")
    opened, closed = _open(source, splits)
    reports, seen = [], set()
    for name, split in opened.items():
        if progress is None:
            looks = look_at_images(split, shown)
        else:
            with progress(f"reading {name}", len(split)) as advance:
                looks = look_at_images(split, shown, advance)
        summary = summarize(looks, split.categories, max_objects)
        _report_long_images(split, summary)
        issues = [issue for issue in split.issues if issue not in seen]
        if "split by file hash" in split.issues.counts():
            seen.update(issues)  # the made splits are of one whole, and each tells of all of it
        reports.append(SplitReport(name, split, summary, issues, annotation_file(source, name), looks))
    duplicates = _duplicates(reports)
    issues = [
        *(Issue("split that cannot be opened", name, message) for name, message in closed.items()),
        *_different_classes(reports),
        *map(_as_issue, duplicates),
    ]
    return DataReport(source, reports, closed, duplicates, issues)


def _open(source, splits):
    if splits:
        return {name: open_source(source, name) for name in dict.fromkeys(splits)}, {}
    opened, closed, last = {}, {}, None
    for name in list_splits(source):
        try:
            opened[name] = open_source(source, name)
        except InputError as error:
            closed[name], last = str(error), last or error
    if not opened:
        raise last
    return opened, closed


def _report_long_images(source, summary):
    sequences, most = summary["sequences"], summary["objects_per_image"]["most"]
    if sequences["images_beyond"]:
        source.issues.add(
            "more objects than max_objects",
            f"{source.name} ({source.split})",
            f"{sequences['images_beyond']} of {summary['images']} images have more than max_objects="
            f"{sequences['max_objects']} objects, up to {most}; {sequences['objects_beyond']} of {summary['objects']} "
            f"objects do not fit. --sequence.max_objects {most} would take all.",
        )


def _different_classes(reports):
    for report in reports[1:]:
        if report.source.categories != reports[0].source.categories:
            yield Issue(
                "splits with different classes",
                f"{reports[0].name}, {report.name}",
                f"{reports[0].name} has {len(reports[0].source.categories)} classes, {report.name} has "
                f"{len(report.source.categories)}, or others, or in another order: one cannot be trained on and the "
                "other evaluated on.",
            )


def _duplicates(reports):
    images: dict[tuple[str, str], tuple[Duplicate, Fingerprint]] = {}
    for report in reports:
        for look in report.looks:
            label = report.source.label(look.index)
            # Once each: a mixture with weights has an image at several places.
            images.setdefault((report.name, label), (Duplicate(report.name, look.index, label), look.fingerprint))
    known = list(images.values())
    groups = near_duplicates([seen for _, seen in known])
    return [[known[place][0] for place in group] for group in groups]


def _as_issue(group):
    splits = list(dict.fromkeys(image.split for image in group))
    named = ", ".join(f"{short_path(image.label)} ({image.split})" for image in group[:5])
    more = f", and {len(group) - 5} more" if len(group) > 5 else ""
    if len(splits) > 1:
        message = (
            f"{len(group)} images look the same, in {' and '.join(splits)}: none is an independent test of another."
        )
        return Issue("near-duplicate images between splits", named + more, message)
    message = f"{len(group)} images of {splits[0]} look the same."
    return Issue("near-duplicate images in a split", named + more, message, "note")


def _plain(issue, file):
    return {**vars(issue), "file": file}

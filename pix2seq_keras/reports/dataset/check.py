"""Checks a data source before training: statistics, issues and near-duplicates of all its images."""

from dataclasses import dataclass

import numpy as np

from pix2seq_keras.data import Source, open_source
from pix2seq_keras.data.issues import Issue
from pix2seq_keras.data.sources.short_repr import quote_all
from pix2seq_keras.data.split_names import annotation_file, list_splits
from pix2seq_keras.errors import InputError
from pix2seq_keras.reports.dataset.duplicates import find_near_duplicates
from pix2seq_keras.reports.dataset.scan import ScannedImage, scan_images
from pix2seq_keras.reports.dataset.statistics import compute_statistics
from pix2seq_keras.reports.formatting import shorten_path

_DIFFERENT_CLASSES = "splits with different classes"


@dataclass(frozen=True)
class SplitReport:
    """The report on one split.

    Args:
        name: str, name of the split.
        source: `Source`, the open split.
        statistics: dictionary of `compute_statistics`.
        issues: list of `Issue`, problems and notes.
        annotation_file: str, the file with the records that the issues name; `None` if the issues name their files
            themselves.
        images: list of `ScannedImage`, the images that can be read.
    """

    name: str
    source: Source
    statistics: dict
    issues: list[Issue]
    annotation_file: str | None
    images: list[ScannedImage]


@dataclass(frozen=True)
class DuplicateImage:
    """An image that has near-duplicates.

    Args:
        split: str, name of its split.
        index: int, its index in the split.
        label: str, its path or name.
    """

    split: str
    index: int
    label: str


@dataclass(frozen=True)
class DataReport:
    """The report on a data source.

    Args:
        source: str, the source as the user wrote it.
        splits: list of `SplitReport`, the splits that can be opened.
        unopened_splits: dictionary from the name of a split that cannot be opened to the error message.
        duplicates: list of groups of near-duplicate images, each a list of `DuplicateImage`.
        issues: list of `Issue`, those of several splits and of splits that cannot be opened.
    """

    source: str
    splits: list[SplitReport]
    unopened_splits: dict[str, str]
    duplicates: list[list[DuplicateImage]]
    issues: list[Issue]

    @property
    def num_issues(self):
        """Number of issues in all splits, problems and notes."""
        return len(self.issues) + sum(len(split.issues) for split in self.splits)

    def blocking_issue(self):
        """Explains why the source cannot be used for training.

        It can be used if a split whose name starts with "train" has an object on an image that can be read. If no split
        has such a name, any split counts. A split whose name starts with "val" must have no object of a class that the
        split for training lacks.

        Returns:
            str, or `None` if the source can be used for training.
        """
        names = [split.name for split in self.splits] + list(self.unopened_splits)
        train = [name for name in names if name.startswith("train")] or names
        if any(split.statistics["objects"] for split in self.splits if split.name in train):
            return self._different_classes()
        reasons = [self.unopened_splits[name] for name in train if name in self.unopened_splits]
        reasons += [
            f"The split {split.name!r} has no usable object on any image that can be read."
            for split in self.splits
            if split.name in train
        ]
        return " ".join(reasons)

    def _different_classes(self):
        """The message that the classes of a split for validation differ, or None."""
        for issue in self.issues:
            if issue.kind == _DIFFERENT_CLASSES and issue.where.startswith("val"):
                return issue.message
        return None

    def to_dict(self):
        """The complete report as a dictionary that can be serialised to JSON."""
        return {
            "source": self.source,
            "usable": self.blocking_issue() is None,
            "num_issues": self.num_issues,
            "splits": {
                split.name: {**split.statistics, "issues": _issue_dicts(split.issues, split.annotation_file)}
                for split in self.splits
            },
            "unopened_splits": self.unopened_splits,
            "near_duplicates": [[vars(image) for image in group] for group in self.duplicates],
            "issues": _issue_dicts(self.issues, None),
        }


def check_source(source, splits=None, max_objects=100, progress=None, num_thumbnails=12):
    """Reads all images of a source and reports statistics, issues and near-duplicates.

    Args:
        source: str, as for `open_source`.
        splits: list of str, the splits to check. Defaults to `None`, all splits; a split that cannot be opened is then
            an issue in the report.
        max_objects: int, maximum number of objects in a training sequence. Defaults to 100.
        progress: function `(title, total)` that returns a context manager as `progress_bar` does. Defaults to `None`,
            no progress.
        num_thumbnails: int, number of thumbnails to draw of each split. Defaults to 12.

    Returns:
        `DataReport`.

    Raises:
        InputError: if `max_objects` is below 1, or if the source or one of the given splits cannot be opened.

    Example:
        >>> report = check_source("coco:data/bccd")
        >>> report.splits[0].statistics["objects"], report.num_issues
        (2741, 1)
    """
    if max_objects < 1:
        raise InputError(f"`max_objects` must be at least 1. Received: max_objects={max_objects}")
    opened, unopened = _open_splits(source, splits)
    reports, known_issues = [], set()
    for name, split in opened.items():
        if progress is None:
            images = scan_images(split, num_thumbnails)
        else:
            with progress(f"scanning {name}", len(split)) as advance:
                images = scan_images(split, num_thumbnails, advance)
        statistics = compute_statistics(images, split.categories, max_objects)
        _report_images_over_limit(split, statistics)
        issues = [issue for issue in split.issues if issue not in known_issues]
        if "split by file hash" in split.issues.counts():
            known_issues.update(issues)  # each of these splits has the issues of all files
        reports.append(SplitReport(name, split, statistics, issues, annotation_file(source, name), images))
    duplicates = _find_duplicates(reports)
    issues = [
        *(Issue("split that cannot be opened", name, message) for name, message in unopened.items()),
        *_different_classes(reports),
        *map(_duplicates_issue, duplicates),
    ]
    return DataReport(source, reports, unopened, duplicates, issues)


def _open_splits(source, splits):
    """The open splits by name, and the error messages of those that cannot be opened."""
    if splits:
        return {name: open_source(source, name) for name in dict.fromkeys(splits)}, {}
    opened, unopened, first_error = {}, {}, None
    for name in list_splits(source):
        try:
            opened[name] = open_source(source, name)
        except InputError as error:
            unopened[name], first_error = str(error), first_error or error
    if not opened:
        raise first_error
    return opened, unopened


def _report_images_over_limit(source, statistics):
    sequences, most = statistics["sequences"], statistics["objects_per_image"]["max"]
    if sequences["images_over_limit"]:
        source.issues.add(
            "more objects than max_objects",
            f"{source.name} ({source.split})",
            f"{sequences['images_over_limit']} of {statistics['images']} images have more than max_objects="
            f"{sequences['max_objects']} objects, up to {most}. {sequences['objects_over_limit']} of "
            f"{statistics['objects']} objects do not fit into a sequence. With --sequence.max_objects {most} all fit.",
        )


def _different_classes(reports):
    """Classes are matched by name, so another order, or classes without objects, do no harm."""
    if not reports:
        return
    train = next((report for report in reports if report.name.startswith("train")), reports[0])
    known = set(train.source.categories.names)
    for report in reports:
        names = report.source.categories.names
        used = np.unique(np.concatenate([np.zeros(0, np.int64), *(image.classes for image in report.images)]))
        unknown = [names[number] for number in used.astype(int) if names[number] not in known]
        if unknown:
            yield Issue(
                _DIFFERENT_CLASSES,
                f"{report.name}, {train.name}",
                f"The split {report.name!r} has objects of {quote_all(unknown)}, classes that {train.name!r} lacks: a "
                f"model trained on {train.name!r} cannot be evaluated on them. Give both the same classes.",
            )


def _find_duplicates(reports):
    images = {}  # (split, label) -> (DuplicateImage, Fingerprint)
    for report in reports:
        for image in report.images:
            label = report.source.label(image.index)
            duplicate = DuplicateImage(report.name, image.index, label)
            # By label, because a mixture with weights contains an image several times.
            images.setdefault((report.name, label), (duplicate, image.fingerprint))
    unique = list(images.values())
    groups = find_near_duplicates([fingerprint for _, fingerprint in unique])
    return [[unique[index][0] for index in group] for group in groups]


def _duplicates_issue(group):
    splits = list(dict.fromkeys(image.split for image in group))
    labels = ", ".join(f"{shorten_path(image.label)} ({image.split})" for image in group[:5])
    more = f", and {len(group) - 5} more" if len(group) > 5 else ""
    if len(splits) > 1:
        message = (
            f"{len(group)} images of the splits {' and '.join(splits)} are near-duplicates: one split is not an "
            "independent test of another."
        )
        return Issue("near-duplicate images between splits", labels + more, message)
    message = f"{len(group)} images of the split {splits[0]} are near-duplicates."
    return Issue("near-duplicate images in a split", labels + more, message)


def _issue_dicts(issues, annotation_file):
    return [{**vars(issue), "file": annotation_file} for issue in issues]

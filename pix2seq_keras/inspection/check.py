"""A look at a whole source before an hour is spent on training on it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pix2seq_keras.data import Source, open_source
from pix2seq_keras.data.findings import Finding
from pix2seq_keras.data.sources.split_names import annotation_file, list_splits
from pix2seq_keras.errors import InputError
from pix2seq_keras.inspection.duplicates import near_duplicates
from pix2seq_keras.inspection.fingerprints import Fingerprint
from pix2seq_keras.inspection.looking import Look, look_at_pictures
from pix2seq_keras.inspection.statistics import summarize
from pix2seq_keras.inspection.wording import short_path


@dataclass(frozen=True)
class SplitReport:
    """What was found in one split.

    Args:
        name: of the split.
        source: it, open.
        summary: see `summarize`.
        findings: everything irregular, problems and notes.
        file: the annotation file whose records the findings number; None where they name files themselves.
        looks: the pictures that could be read.
    """

    name: str
    source: Source
    summary: dict
    findings: list[Finding]
    file: str | None
    looks: list[Look]


@dataclass(frozen=True)
class Duplicate:
    """One of several pictures that look the same: its split, its place there, and its path or name."""

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
        duplicates: groups of pictures that look the same.
        findings: what concerns several splits, or one that could not be opened.
    """

    source: str
    splits: list[SplitReport]
    closed: dict[str, str]
    duplicates: list[list[Duplicate]]
    findings: list[Finding]

    @property
    def num_findings(self) -> int:
        """All irregularities, problems and notes."""
        return len(self.findings) + sum(len(split.findings) for split in self.splits)

    def obstacle(self) -> str | None:
        """Why the source cannot be trained on, a sentence; None if it can.

        It can if a split whose name begins with "train" has a picture with objects, or, where there is none of that
        name, any split.
        """
        names = [split.name for split in self.splits] + list(self.closed)
        train = [name for name in names if name.startswith("train")] or names
        if any(split.summary["objects"] for split in self.splits if split.name in train):
            return None
        reasons = [self.closed[name] for name in train if name in self.closed]
        reasons += [
            f"Not one picture of the split {split.name!r} that can be read has a usable object."
            for split in self.splits
            if split.name in train
        ]
        return " ".join(reasons)

    def to_dict(self) -> dict:
        """The whole report as plain values, for JSON; every finding and every group of duplicates is in it."""
        return {
            "source": self.source,
            "usable": self.obstacle() is None,
            "num_findings": self.num_findings,
            "splits": {
                split.name: {**split.summary, "findings": [_plain(f, split.file) for f in split.findings]}
                for split in self.splits
            },
            "unopened_splits": self.closed,
            "near_duplicates": [[vars(picture) for picture in group] for group in self.duplicates],
            "findings": [_plain(finding, None) for finding in self.findings],
        }


def check_source(
    source: str,
    splits: Sequence[str] | None = None,
    max_objects: int = 100,
    progress: Callable | None = None,
    shown: int = 12,
) -> DataReport:
    """Reads all pictures of a source and tells what it holds, and everything irregular.

    Args:
        source: as `open_source` takes it.
        splits: which to look at. Defaults to all; then one that cannot be opened is told in the report.
        max_objects: objects a training sequence holds.
        progress: function (title, total) giving a context manager that yields `advance()`, such as `progress_bar`.
        shown: thumbnails to keep of each split.

    Returns:
        A `DataReport`.

    Raises:
        InputError: if the source, or a split that was named, cannot be opened.

    Example:
        >>> report = check_source("coco:data/bccd")
        >>> report.splits[0].summary["objects"], report.num_findings
        (2741, 1)
    """
    if max_objects < 1:
        raise InputError(f"max_objects must be at least 1. Received: max_objects={max_objects}")
    opened, closed = _open(source, splits)
    reports, seen = [], set()
    for name, split in opened.items():
        if progress is None:
            looks = look_at_pictures(split, shown)
        else:
            with progress(f"reading {name}", len(split)) as advance:
                looks = look_at_pictures(split, shown, advance)
        summary = summarize(looks, split.categories, max_objects)
        _report_long_pictures(split, summary)
        findings = [finding for finding in split.findings if finding not in seen]
        if "split made here" in split.findings.counts():
            seen.update(findings)  # the made splits are of one whole, and each tells of all of it
        reports.append(SplitReport(name, split, summary, findings, annotation_file(source, name), looks))
    duplicates = _duplicates(reports)
    findings = [
        *(Finding("split that cannot be opened", name, message) for name, message in closed.items()),
        *_different_classes(reports),
        *map(_as_finding, duplicates),
    ]
    return DataReport(source, reports, closed, duplicates, findings)


def _open(source: str, splits: Sequence[str] | None) -> tuple[dict[str, Source], dict[str, str]]:
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


def _report_long_pictures(source: Source, summary: dict) -> None:
    sequences, most = summary["sequences"], summary["objects_per_picture"]["most"]
    if sequences["pictures_beyond"]:
        source.findings.add(
            "more objects than fit",
            f"{source.name} ({source.split})",
            f"{sequences['pictures_beyond']} of {summary['pictures']} pictures have more than max_objects="
            f"{sequences['max_objects']} objects, up to {most}; {sequences['objects_beyond']} of {summary['objects']} "
            f"objects do not fit. --sequence.max_objects {most} would take all.",
        )


def _different_classes(reports: Sequence[SplitReport]):
    for report in reports[1:]:
        if report.source.categories != reports[0].source.categories:
            yield Finding(
                "splits with different classes",
                f"{reports[0].name}, {report.name}",
                f"{reports[0].name} has {len(reports[0].source.categories)} classes, {report.name} has "
                f"{len(report.source.categories)}, or others, or in another order: one cannot be trained on and the "
                "other evaluated on.",
            )


def _duplicates(reports: Sequence[SplitReport]) -> list[list[Duplicate]]:
    pictures: dict[tuple[str, str], tuple[Duplicate, Fingerprint]] = {}
    for report in reports:
        for look in report.looks:
            label = report.source.label(look.index)
            # Once each: a mixture with weights has a picture at several places.
            pictures.setdefault((report.name, label), (Duplicate(report.name, look.index, label), look.fingerprint))
    known = list(pictures.values())
    groups = near_duplicates([seen for _, seen in known])
    return [[known[place][0] for place in group] for group in groups]


def _as_finding(group: Sequence[Duplicate]) -> Finding:
    splits = list(dict.fromkeys(picture.split for picture in group))
    named = ", ".join(f"{short_path(picture.label)} ({picture.split})" for picture in group[:5])
    more = f", and {len(group) - 5} more" if len(group) > 5 else ""
    if len(splits) > 1:
        message = (
            f"{len(group)} pictures look the same, in {' and '.join(splits)}: none is an independent test of another."
        )
        return Finding("near-duplicate pictures between splits", named + more, message)
    message = f"{len(group)} pictures of {splits[0]} look the same."
    return Finding("near-duplicate pictures in a split", named + more, message, "note")


def _plain(finding: Finding, file: str | None) -> dict:
    return {**vars(finding), "file": file}

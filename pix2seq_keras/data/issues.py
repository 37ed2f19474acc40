"""Issues in data: collected while it is read, and reported together at the end of a run."""

import threading
from collections import Counter
from dataclasses import dataclass
from typing import Literal

Severity = Literal["problem", "note"]

# A problem loses something (an image, an object) or makes it doubtful; a note loses nothing but may explain a score.
KINDS = {
    # images
    "missing image": "problem",
    "unreadable image": "problem",
    "image outside the folder": "problem",
    "ambiguous file name": "problem",
    "file name read leniently": "note",
    "unexpected image size": "problem",
    "duplicate image id": "problem",
    "unusable image record": "problem",
    "resized image": "note",
    "rotated by EXIF": "note",
    "frame chosen by boxes": "note",
    "undecided frame": "problem",
    "image without annotations": "note",
    "image without annotation file": "problem",
    "missing label file": "note",
    "empty label file": "note",
    "unused files": "note",
    "split by file hash": "note",
    # annotations
    "box without area": "problem",
    "box outside the image": "problem",
    "box with NaN": "problem",
    "unusable box": "problem",
    "unknown category": "problem",
    "annotation of an unknown image": "problem",
    "duplicate annotation id": "problem",
    "unusable annotation record": "problem",
    "unusable annotation file": "problem",
    "annotation file repaired": "note",
    "annotation file outside the folder": "problem",
    "annotation file without an image": "problem",
    "no annotations": "problem",
    "polygon converted to box": "note",
    "mask converted to box": "note",
    "box given as text": "note",
    "confidence ignored": "note",
    "wrong number of classes": "problem",
    "box clipped to the image": "note",
    "annotation without an id": "note",
    "value read leniently": "note",
    "duplicate box": "note",
    # sequences
    "more objects than max_objects": "problem",
    # splits
    "split that cannot be opened": "problem",
    "splits with different classes": "problem",
    "near-duplicate images between splits": "problem",
    "near-duplicate images in a split": "note",
}


@dataclass(frozen=True)
class Issue:
    """One issue.

    Args:
        kind: str, one of `KINDS`.
        where: str, the file or record, unique within the kind.
        message: str, what is wrong, and what was done about it.
        severity: str or None, "problem" (something was lost or is doubtful) or "note". Defaults to None: that of
            `KINDS`, or "problem" for other kinds.
    """

    kind: str
    where: str
    message: str
    severity: Severity | None = None

    def __post_init__(self):
        if self.severity is None:
            object.__setattr__(self, "severity", KINDS.get(self.kind, "problem"))

    def reason(self, length=300):
        """The message as one line for a summary that names the place already.

        Args:
            length: int, the largest number of characters. Defaults to 300.

        Returns:
            str.

        Example:
            >>> Issue("missing image", "images[3]", "images[3]: There is no 'a.jpg'.").reason()
            "There is no 'a.jpg'."
        """
        text = " ".join(self.message.removeprefix(f"{self.where}: ").split())
        return text if len(text) <= length else f"{text[: length - 1]}…"


class Issues:
    """The issues found so far, in their order. Threads may share an instance.

    An unreadable image is found again in every epoch, so the same (kind, where) is kept once.

    Example:
        >>> issues = Issues()
        >>> issues.add("missing image", "images[3] (id 4)", "There is no 'a.jpg'. It is left out.")
        >>> issues.counts()
        {'missing image': 1}
    """

    def __init__(self):
        self._issues = {}
        self._lock = threading.Lock()

    def add(self, kind, where, message, severity=None):
        """Adds an issue, unless there is one of the same kind at the same place.

        Args:
            kind: str, one of `KINDS`, or another short text.
            where: str, the file or record.
            message: str, what is wrong there, and what was done about it.
            severity: str or None, "problem" or "note". Defaults to None: that of `KINDS`, or "problem" for other kinds.
        """
        issue = Issue(kind, where, message, severity)
        with self._lock:
            self._issues.setdefault((kind, where), issue)

    def __len__(self):
        return len(self._issues)

    def __iter__(self):
        with self._lock:  # a copy: another thread may add issues meanwhile
            return iter(list(self._issues.values()))

    def counts(self, severity=None):
        """Counts the issues of each kind, problems first, in the order of their first occurrence.

        Args:
            severity: str or None, counts only "problem" or "note". Defaults to None: both.

        Returns:
            dict of kind to int.
        """
        ordered = sorted(self, key=lambda issue: issue.severity != "problem")
        return dict(Counter(issue.kind for issue in ordered if severity in (None, issue.severity)))

    def summary(self, limit=5):
        """Summarises the issues: one line per kind with their number, the first few places and the first reason.

        Args:
            limit: int, number of places per kind. Defaults to 5.

        Returns:
            str, "" if there are no issues.
        """
        by_kind = {}
        for issue in self:
            by_kind.setdefault(issue.kind, []).append(issue)
        lines = []
        for kind, found in sorted(by_kind.items(), key=lambda item: item[1][0].severity != "problem"):
            places = ", ".join(issue.where for issue in found[:limit])
            rest = f", and {len(found) - limit} more" if len(found) > limit else ""
            first = ":" if len(found) == 1 else "; the first:"
            lines.append(f"{kind}: {len(found)} ({places}{rest}){first} {found[0].reason()}")
        return "\n".join(lines)

"""What was irregular in the data: collected while reading, told in one piece when the run ends."""

import threading
from collections import Counter
from dataclasses import dataclass
from typing import Literal

Severity = Literal["problem", "note"]

# Problems cost something (an image, an object) or cast doubt on it; notes cost nothing but may explain
# a score.
KINDS: dict[str, Severity] = {
    # images
    "missing image": "problem",
    "unreadable image": "problem",
    "image outside the folder": "problem",
    "unexpected image size": "problem",
    "duplicate image id": "problem",
    "unusable image record": "problem",
    "resized image": "note",
    "rotated by EXIF": "note",
    "image without annotations": "note",
    "image without annotation file": "problem",
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
    "annotation file outside the folder": "problem",
    "annotation file without an image": "problem",
    "no annotations": "problem",
    "polygon converted to box": "note",
    "box clipped to the image": "note",
    "annotation without an id": "note",
    # sequences
    "more objects than max_objects": "problem",
}


@dataclass(frozen=True)
class Issue:
    """One issue.

    Args:
        kind: what sort it is, one of `KINDS`.
        where: the file or record, unique within the kind.
        message: a sentence: what was wrong, and what was done about it.
        severity: "problem" (something was lost or is in doubt) or "note".
    """

    kind: str
    where: str
    message: str
    severity: Severity = "problem"


class Issues:
    """The issues met so far, in the order they were met. Safe to share between reading threads.

    An image that is unreadable is met again in every epoch, so the same (kind, where) is kept once.

    Example:
        >>> issues = Issues()
        >>> issues.add("missing image", "images[3] (id 4)", "There is no 'a.jpg'. It is left out.")
        >>> issues.counts()
        {'missing image': 1}
    """

    def __init__(self):
        self._found: dict[tuple[str, str], Issue] = {}
        self._lock = threading.Lock()

    def add(self, kind, where, message, severity=None):
        """Keeps an issue, unless the same kind was already found at the same place.

        Args:
            kind: str, short string; `KINDS` lists the usual ones.
            where: str, the file or record.
            message: str, a sentence for whoever wants to see this one place.
            severity: `Severity` or `None`, defaults to the one in `KINDS`, and to "problem" for a kind that is not
                listed there.
        """
        issue = Issue(kind, where, message, severity or KINDS.get(kind, "problem"))
        with self._lock:
            self._found.setdefault((kind, where), issue)

    def __len__(self):
        return len(self._found)

    def __iter__(self):
        with self._lock:  # a copy: a reading thread may add while someone iterates
            return iter(list(self._found.values()))

    def counts(self, severity=None):
        """How many issues there are of each kind, problems first, each in the order first met.

        Args:
            severity: `Severity` or `None`, count only these. Defaults to both.

        Returns:
            `{kind: number}`.
        """
        found = sorted(self, key=lambda issue: issue.severity != "problem")
        return dict(Counter(f.kind for f in found if severity in (None, f.severity)))

    def summary(self, limit=5):
        """One line per kind: how often, and the first few places.

        Args:
            limit: int, places named per kind.

        Returns:
            The text, "" when nothing was found.
        """
        places: dict[str, list[str]] = {}
        for issue in self:
            places.setdefault(issue.kind, []).append(issue.where)
        lines = []
        for kind, count in self.counts().items():
            # A reader may add between the two looks; the count then runs ahead of the places, never behind.
            named = places.get(kind, [])[:limit]
            rest = f", and {count - len(named)} more" if count > len(named) else ""
            lines.append(f"{kind}: {count} ({', '.join(named)}{rest})")
        return "\n".join(lines)

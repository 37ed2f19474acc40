"""What was irregular in the data: collected while reading, told in one piece when the run ends."""

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Severity = Literal["problem", "note"]

# Problems cost something (a picture, an object) or cast doubt on it; notes cost nothing but may explain
# a score.
KINDS: dict[str, Severity] = {
    # pictures
    "missing picture": "problem",
    "unreadable picture": "problem",
    "picture outside the folder": "problem",
    "picture of another size": "problem",
    "duplicate image id": "problem",
    "unusable image record": "problem",
    "resized picture": "note",
    "turned by EXIF": "note",
    "picture without annotations": "note",
    "picture without annotation file": "problem",
    "split made here": "note",
    # annotations
    "box without area": "problem",
    "box outside the picture": "problem",
    "box with NaN": "problem",
    "unusable box": "problem",
    "unknown category": "problem",
    "annotation of an unknown image": "problem",
    "duplicate annotation id": "problem",
    "unusable annotation record": "problem",
    "unusable annotation file": "problem",
    "annotation file outside the folder": "problem",
    "annotation file without a picture": "problem",
    "no annotations at all": "problem",
    "polygon taken as its box": "note",
    "box cut to the picture": "note",
    "annotation without an id": "note",
    # sequences
    "more objects than fit": "problem",
}


@dataclass(frozen=True)
class Finding:
    """One irregularity.

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


class Findings:
    """The irregularities met so far, in the order they were met. Safe to share between reading threads.

    A picture that is unreadable is met again in every epoch, so the same (kind, where) is kept once.

    Example:
        >>> findings = Findings()
        >>> findings.add("missing picture", "images[3] (id 4)", "There is no 'a.jpg'. It is left out.")
        >>> findings.counts()
        {'missing picture': 1}
    """

    def __init__(self):
        self._found: dict[tuple[str, str], Finding] = {}
        self._lock = threading.Lock()

    def add(self, kind: str, where: str, message: str, severity: Severity | None = None) -> None:
        """Keeps a finding, unless the same kind was already found at the same place.

        Args:
            kind: short string; `KINDS` lists the usual ones.
            where: the file or record.
            message: a sentence for whoever wants to see this one place.
            severity: defaults to the one in `KINDS`, and to "problem" for a kind that is not listed there.
        """
        finding = Finding(kind, where, message, severity or KINDS.get(kind, "problem"))
        with self._lock:
            self._found.setdefault((kind, where), finding)

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Finding]:
        with self._lock:  # a copy: a reading thread may add while someone iterates
            return iter(list(self._found.values()))

    def counts(self, severity: Severity | None = None) -> dict[str, int]:
        """How many findings there are of each kind, problems first, each in the order first met.

        Args:
            severity: count only these. Defaults to both.

        Returns:
            `{kind: number}`.
        """
        found = sorted(self, key=lambda finding: finding.severity != "problem")
        return dict(Counter(f.kind for f in found if severity in (None, f.severity)))

    def summary(self, limit: int = 5) -> str:
        """One line per kind: how often, and the first few places.

        Args:
            limit: places named per kind.

        Returns:
            The text, "" when nothing was found.
        """
        places: dict[str, list[str]] = {}
        for finding in self:
            places.setdefault(finding.kind, []).append(finding.where)
        lines = []
        for kind, count in self.counts().items():
            # A reader may add between the two looks; the count then runs ahead of the places, never behind.
            named = places.get(kind, [])[:limit]
            rest = f", and {count - len(named)} more" if count > len(named) else ""
            lines.append(f"{kind}: {count} ({', '.join(named)}{rest})")
        return "\n".join(lines)

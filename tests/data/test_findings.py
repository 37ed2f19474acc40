"""Irregularities are kept once, in order, from any thread."""

from concurrent.futures import ThreadPoolExecutor

from pix2seq_keras.data.findings import Findings


def test_the_same_kind_at_the_same_place_counts_once():
    findings = Findings()

    for _ in range(3):
        findings.add("missing picture", "a.jpg", "There is no a.jpg.")
    findings.add("unreadable picture", "a.jpg", "a.jpg is cut short.")

    assert len(findings) == 2
    assert findings.counts() == {"missing picture": 1, "unreadable picture": 1}


def test_notes_are_told_apart_from_problems():
    findings = Findings()
    findings.add("turned by EXIF", "a.jpg", "Turned.")
    findings.add("box with NaN", "b.jpg", "Dropped.")
    findings.add("something new", "c.jpg", "Odd.", severity="note")

    assert findings.counts("problem") == {"box with NaN": 1}
    assert findings.counts("note") == {"turned by EXIF": 1, "something new": 1}
    assert list(findings.counts()) == ["box with NaN", "turned by EXIF", "something new"]
    assert [finding.where for finding in findings] == ["a.jpg", "b.jpg", "c.jpg"]


def test_the_summary_names_the_first_places_and_counts_the_rest():
    findings = Findings()
    for number in range(7):
        findings.add("missing picture", f"{number}.jpg", "Missing.")

    summary = findings.summary(limit=2)

    assert summary == "missing picture: 7 (0.jpg, 1.jpg, and 5 more)"
    assert Findings().summary() == ""


def test_findings_from_many_threads_are_all_kept():
    findings = Findings()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda i: findings.add("unreadable picture", str(i % 500), "Cut."), range(4000)))

    assert len(findings) == 500

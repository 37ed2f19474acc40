"""Issues are kept once, in order, from any thread."""

from concurrent.futures import ThreadPoolExecutor

from pix2seq_keras.data.issues import Issue, Issues


def test_an_issue_of_one_kind_at_one_place_counts_once():
    issues = Issues()

    for _ in range(3):
        issues.add("missing image", "a.jpg", "There is no a.jpg.")
    issues.add("unreadable image", "a.jpg", "a.jpg is truncated.")

    assert len(issues) == 2
    assert issues.counts() == {"missing image": 1, "unreadable image": 1}


def test_notes_and_problems_are_counted_separately():
    issues = Issues()
    issues.add("rotated by EXIF", "a.jpg", "Rotated.")
    issues.add("box with NaN", "b.jpg", "Dropped.")
    issues.add("something new", "c.jpg", "Unusual.", severity="note")

    assert issues.counts("problem") == {"box with NaN": 1}
    assert issues.counts("note") == {"rotated by EXIF": 1, "something new": 1}
    assert list(issues.counts()) == ["box with NaN", "rotated by EXIF", "something new"]
    assert [issue.where for issue in issues] == ["a.jpg", "b.jpg", "c.jpg"]


def test_the_summary_names_the_first_places_and_the_first_reason_of_each_kind():
    issues = Issues()
    issues.add("rotated by EXIF", "a.jpg", "a.jpg: Rotated.")
    for number in range(7):
        issues.add("missing image", f"{number}.jpg", f"There is no\n{number}.jpg.")

    summary = issues.summary(limit=2)

    assert summary == (
        "missing image: 7 (0.jpg, 1.jpg, and 5 more); the first: There is no 0.jpg.\n"
        "rotated by EXIF: 1 (a.jpg): Rotated."
    )
    assert Issues().summary() == ""


def test_a_long_reason_is_cut():
    assert len(Issue("missing image", "a.jpg", "x" * 1000).reason()) == 300


def test_issues_from_many_threads_are_all_kept():
    issues = Issues()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda i: issues.add("unreadable image", str(i % 500), "Truncated."), range(4000)))

    assert len(issues) == 500

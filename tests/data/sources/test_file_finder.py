"""Names that tools write in other ways find their file; nothing outside the folder is found, opened or listed."""

import os
import unicodedata

import pytest

from pix2seq_keras.data.images.image_error import ImageError
from pix2seq_keras.data.issues import Issues
from pix2seq_keras.data.sources.file_finder import FileFinder, files_of_several_names, note_difference
from pix2seq_keras.data.sources.lenient import LenientReader

ACCENT = "décran.png"


@pytest.fixture
def finder(tmp_path):
    """A function that makes files in a folder and returns its finder."""

    def make(*names):
        for name in names:
            path = tmp_path / "set" / os.fsdecode(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
        return FileFinder((tmp_path / "set").resolve())

    return make


@pytest.mark.parametrize(
    ("wanted", "there", "words"),
    [
        ("a.png", "a.png", ""),
        ("./a.png", "a.png", ""),
        ("pics\\a.png", "pics/a.png", r"with '\' for '/'"),
        ("pics\\sub/a.png", "pics/sub/a.png", r"with '\' for '/'"),
        ("..\\pics\\a.png", "pics/a.png", r"with '\' for '/'"),
        ("/content/set/pics/a.png", "pics/a.png", "leading folders"),
        ("/label-studio/data/media/upload/1/a.png", "a.png", "leading folders"),
        ("../../pics/a.png", "pics/a.png", "leading folders"),
        ("x/../../y/a.png", "a.png", "leading folders"),
        ("C:/Users/me/pics/a.png", "pics/a.png", "leading folders"),
        ("C:\\Users\\me\\a.png", "a.png", "leading folders"),
        ("C:a.png", "a.png", "leading folders"),
        ("\\\\server\\share\\pics\\a.png", "pics/a.png", "leading folders"),
        ("https://host:8080/data/upload/a.png", "a.png", "leading folders"),
        ("/data/local-files/?d=pics/a.png", "pics/a.png", "leading folders"),
        ("my%20image.png", "my image.png", "another encoding"),
        ("my image.png", "my%20image.png", "another encoding"),
        ("pics%2Fa.png", "pics/a.png", "another encoding"),
        ("%C3%A9.png", "é.png", "another encoding"),
        (unicodedata.normalize("NFC", ACCENT), unicodedata.normalize("NFD", ACCENT), "another Unicode form"),
        (unicodedata.normalize("NFD", ACCENT), unicodedata.normalize("NFC", ACCENT), "another Unicode form"),
        ("/x/" + unicodedata.normalize("NFD", ACCENT), unicodedata.normalize("NFC", ACCENT), "another Unicode form"),
        ("A.JPG", "a.jpg", "another case"),
        ("Images/a.PNG", "images/A.png", "another case"),
        ("café.png", b"caf\xe9.png", "another encoding"),
        ("caf\udce9.png", b"caf\xe9.png", ""),
        ("図.png", "図.png".encode("shift_jis"), "another encoding"),
        ("图像.png", "图像.png".encode("gb18030"), "another encoding"),
    ],
)
def test_a_file_is_found_by_the_longest_tail_of_its_name(finder, tmp_path, wanted, there, words):
    found = finder(there).find(wanted)

    relative = os.fsencode(found.path.relative_to((tmp_path / "set").resolve()))
    assert relative == (there if isinstance(there, bytes) else there.encode())
    assert found.path.is_file() and (words in found.difference if words else not found.difference)


def test_the_exact_name_and_the_longest_tail_win(finder):
    files = finder("a.png", "A.png", "1/a.png", "2/1/a.png")

    assert [files.find(name).name for name in ("a.png", "A.png", "/x/2/1/a.png", "/x/1/a.png", "/x/3/A.png")] == [
        "a.png", "A.png", "2/1/a.png", "1/a.png", "A.png",
    ]  # fmt: skip


@pytest.mark.parametrize("wanted", ["a.PNG", "/x/a.PNG", "images/A.png"])
def test_of_two_files_that_fit_equally_well_none_is_taken(finder, wanted):
    files = finder("a.png", "A.png", "Images/a.png", "IMAGES/a.png")

    with pytest.raises(ImageError, match="fit it equally well") as caught:
        files.find(wanted)

    assert caught.value.kind == "ambiguous file name"


@pytest.mark.parametrize(
    "wanted",
    ["../secret.png", "/x/../../secret.png", "..%2Fsecret.png", "LINK.png", "/x/link.png", "out/secret.png",
     "OUT/secret.png", "/x/out/secret.png", "..\\secret.png", "out\\secret.png", "%2e%2e/secret.png",
     "loop/../../secret.png"],
)  # fmt: skip
def test_nothing_outside_is_found_opened_or_listed(finder, tmp_path, monkeypatch, wanted):
    files = finder("a.png")
    (tmp_path / "secret.png").write_bytes(b"x")
    (tmp_path / "set" / "link.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "set" / "out").symlink_to(tmp_path)
    (tmp_path / "set" / "loop").symlink_to(".")
    listed = []
    really_list = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(os.path.realpath(path)) or really_list(path))

    try:
        found = files.find(wanted)
    except ImageError as error:
        assert error.kind == "image outside the folder"
    else:
        assert not found.path.exists() and found.path.is_relative_to(files.folder)

    assert all(path == str(files.folder) for path in listed)


def test_a_folder_is_listed_once_and_only_if_a_name_is_not_found(finder, monkeypatch):
    files = finder(*(f"pics/{number}.png" for number in range(20)))
    listed = []
    really_list = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(str(path)) or really_list(path))

    for number in range(20):
        files.find(f"pics/{number}.png")
    assert not listed
    for number in range(20):
        assert files.find(f"/data/Pics/{number}.PNG").path.exists()

    assert len(listed) == len(set(listed)) == 2


def test_names_of_thousands_of_folders_are_given_up_soon(finder, tmp_path):
    files = finder("a/a.png")
    (tmp_path / "set" / "a" / "a").symlink_to(".")

    assert files.find("b/" + "a/" * 2000 + "a.png").name.endswith("a/a/a.png")
    assert not files.find("b/" + "a/" * 2000 + "c.png").path.exists()


def test_files_that_several_names_lead_to_are_known_and_differences_are_noted_once_a_kind(finder):
    files = finder("1.png", "2.png")
    found = [files.find(name) for name in ("a/1.png", "b/1.png", "c/2.png", "2.png", "2.png")]
    reader, issues = LenientReader(), Issues()

    for file in found:
        note_difference(file, reader)
    reader.report(issues)

    assert {path.name for path in files_of_several_names(found[:2])} == {"1.png"}
    assert not files_of_several_names(found[3:])
    assert [(issue.kind, issue.severity) for issue in issues] == [("file name read leniently", "note")]
    assert "3 in all. The first: 'a/1.png' is read as '1.png'." in next(iter(issues)).message

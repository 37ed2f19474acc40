import pytest

from pix2seq_keras.data.sources.listing import files_below, names_below


@pytest.fixture
def folder(tmp_path):
    for name in ("b.png", "a.JPG", "sub/c.png", "sub/deep/a.txt", ".hidden", ".git/d.png"):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "e.png").touch()
    (tmp_path / "set" / "link").symlink_to(tmp_path / "outside")
    return tmp_path / "set"


def test_files_are_sorted_without_hidden_ones_and_links_to_folders(folder):
    assert list(files_below(folder)) == ["a.JPG", "b.png", "sub/c.png", "sub/deep/a.txt"]


def test_names_are_filtered_by_suffix(folder):
    assert list(names_below(folder, (".jpg", ".txt"))) == [("a", "a.JPG"), ("sub/deep/a", "sub/deep/a.txt")]

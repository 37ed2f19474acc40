import pytest

from pix2seq_keras.data.images.image_error import ImageError
from pix2seq_keras.data.sources.folder import file_inside


def test_names_and_links_inside_the_folder_are_resolved(tmp_path):
    folder = tmp_path.resolve()
    (folder / "link.png").symlink_to("sub/a.png")

    assert file_inside(folder, "sub/a.png") == file_inside(folder, "link.png") == folder / "sub" / "a.png"


@pytest.mark.parametrize("name", ["/etc/passwd", "../a.png", "sub/../../a.png", "..\\a.png", "C:/a.png", "out/a.png"])
def test_names_and_links_to_other_folders_are_refused(tmp_path, name):
    folder = (tmp_path / "set").resolve()
    folder.mkdir()
    (folder / "out").symlink_to(tmp_path)

    with pytest.raises(ImageError) as caught:
        file_inside(folder, name, "split")

    assert caught.value.kind == "split outside the folder"


@pytest.mark.parametrize("name", ["", " ", "a\0b", "a" * 5000, "\ud800"])
def test_names_that_no_file_can_have_are_refused(tmp_path, name):
    with pytest.raises(ImageError, match="No file can have the name"):
        file_inside(tmp_path.resolve(), name)

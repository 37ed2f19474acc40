"""Bare names of images that lie in sub-folders."""

import numpy as np
import pytest

from pix2seq_keras.data.images.image_error import ImageError
from pix2seq_keras.data.sources.subfolders import SubfolderIndex

REL = np.array([4 / 40, 33 / 60, 14 / 40, 57 / 60], np.float32)


def record(identifier, file_name):
    return {"id": identifier, "file_name": file_name, "width": 60, "height": 40}


def test_a_unique_name_is_found_with_a_note_and_an_ambiguous_one_is_left_out(coco):
    for name in ("left/b.png", "left/c.png", "right/c.png"):
        (coco.folder / name).parent.mkdir(exist_ok=True)
        coco.save(coco.folder / name)

    source = coco(images=[record(1, "b.png"), record(2, "c.png"), record(3, "d.png")])

    assert [label.rpartition("/train/")[2] for label in source.labels] == ["left/b.png"]
    np.testing.assert_allclose(source.read(0)["boxes"], [REL])
    assert source.issues.counts("problem") == {"ambiguous file name": 1, "missing image": 1}
    assert source.issues.counts("note") == {"file name read leniently": 1, "unused files": 1}
    assert "There are 2 images of the name 'c.png': 'left/c.png', 'right/c.png'" in source.issues.summary()


def test_an_image_that_another_record_names_exactly_is_not_used(coco):
    (coco.folder / "left").mkdir()
    coco.save(coco.folder / "left" / "b.png")

    source = coco(images=[record(1, "left/b.png"), record(2, "b.png")])

    assert source.image_ids.tolist() == [1] and source.issues.counts("problem") == {"missing image": 1}


def test_whole_parts_of_names_are_compared_and_links_stay_inside(tmp_path):
    (tmp_path / "set" / "x" / "y").mkdir(parents=True)
    for name in ("set/x/y/a.jpg", "set/x/ab.jpg", "secret.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "set" / "x" / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    index = SubfolderIndex(tmp_path / "set")

    assert index.find("y/a.jpg").path == tmp_path / "set/x/y/a.jpg"
    assert index.find("b.jpg") is None and index.find("z/a.jpg") is None and index.find("secret.jpg") is None
    with pytest.raises(ImageError, match="link to another folder"):
        index.find("link.jpg")

"""Pascal VOC in the layouts that are in use."""

import numpy as np
import pytest

from pix2seq_keras.data import open_source
from pix2seq_keras.errors import InputError

WIDTH, HEIGHT = 60, 40
# The white box of the images: pixels 33…56 across and 4…13 down, which VOC counts from 1.
REL = np.array([4 / 40, 33 / 60, 14 / 40, 57 / 60], np.float32)


def white_box(pixels):
    rows, columns = np.nonzero(pixels[..., 0] > 128)
    height, width = pixels.shape[:2]
    return [rows.min() / height, columns.min() / width, (rows.max() + 1) / height, (columns.max() + 1) / width]


def test_corners_are_pixels_counted_from_one_and_belong_to_the_box(add, tmp_path, xml, obj):
    add("train", "a", xml(obj(), obj("dog", (1, 1, WIDTH, HEIGHT)), obj("dog", (1, 1, 1, 1))))

    example = open_source(f"voc:{tmp_path}", "train").read(0)

    np.testing.assert_array_equal(example["boxes"][0], REL)
    np.testing.assert_allclose(example["boxes"][0], white_box(example["image"]), atol=1e-6)
    np.testing.assert_array_equal(example["boxes"][1], [0, 0, 1, 1])
    np.testing.assert_array_equal(example["boxes"][2], np.float32([0, 0, 1 / 40, 1 / 60]))
    np.testing.assert_array_equal(example["area"], [240, 2400, 1])
    assert example["classes"].tolist() == [0, 1, 1]


def test_image_sets_list_the_images_of_a_split_in_their_order(add, tmp_path, xml, obj):
    for name, split in (("b", "train"), ("a", "train"), ("c", "val")):
        add(split, name, xml(obj("dog" if name == "c" else "cat")))
    (tmp_path / "ImageSets" / "Main" / "cat_train.txt").write_text("a  1\nb -1\nc  0\n")

    train, val = open_source(f"voc:{tmp_path}", "train"), open_source(f"voc:{tmp_path}", "val")

    assert [label[-5:] for label in train.labels] == ["b.png", "a.png"] and train.image_ids.tolist() == [1, 2]
    assert len(val) == 1
    # One table for all splits, although no dog is in train.
    assert train.categories == val.categories and train.categories.names == ("cat", "dog")
    assert len(open_source(f"voc:{tmp_path}", "cat_train")) == 2
    with pytest.raises(InputError, match=r"must be one of 'train', 'val', or"):
        open_source(f"voc:{tmp_path}", "test")
    with pytest.raises(InputError, match="must be one of 'train', 'val'"):
        open_source(f"voc:{tmp_path}", "../Main/train")


def test_classes_txt_gives_the_order_and_the_classes_without_objects(add, tmp_path, xml, obj):
    add("train", "a", xml(obj("cat"), obj("mouse")))
    (tmp_path / "classes.txt").write_text("dog\ncat\n")

    source = open_source(f"voc:{tmp_path}", "train")

    assert source.categories.names == ("dog", "cat") and source.read(0)["classes"].tolist() == [1]
    assert source.issues.counts() == {"unknown category": 1}
    assert "a.xml object[1] ('mouse')" in source.issues.summary()


def test_difficult_objects_are_crowds_unless_they_are_kept(add, tmp_path, xml, obj):
    add(
        "train",
        "a",
        xml(obj(more="<difficult>1</difficult>"), obj(corners=(1, 1, 9, 9), more="<difficult>0</difficult>")),
    )

    source, kept = open_source(f"voc:{tmp_path}", "train"), open_source(f"voc:{tmp_path}?difficult=keep", "train")

    assert source.read(0)["is_crowd"].tolist() == [True, False] and source.object_counts.tolist() == [1]
    assert kept.read(0)["is_crowd"].tolist() == [False, False] and kept.object_counts.tolist() == [2]
    assert source.issues.counts() == {}
    add("val", "b", xml(obj(more="<difficult>1</difficult>")))
    with pytest.raises(InputError, match=rf"marked difficult, .* write voc:{tmp_path}[?]difficult=keep"):
        open_source(f"voc:{tmp_path}", "val").require_annotated()
    with pytest.raises(InputError, match="difficult='drop'"):
        open_source(f"voc:{tmp_path}?difficult=drop", "train")


def test_only_defective_images_and_objects_are_left_out(add, tmp_path, save_image, xml, obj):
    add("train", "a", xml(obj()))
    add("train", "broken", "<annotation><object>")
    add("train", "page", "<html></html>")
    add("train", "bare", xml())
    add(
        "train",
        "faulty",
        xml(
            obj(corners=("x", 1, 2, 3)),
            obj(corners=("nan", 1, 2, 3)),
            obj(corners=(10, 10, 9, 20)),
            obj(corners=(100, 1, 120, 9)),
            obj(corners=(50, 1, 70, 9)),
            obj(name=""),
            obj(more="<difficult>maybe</difficult>"),
            "<object><name>cat</name></object>",
            obj(more="<part><name>head</name><bndbox><xmin>7</xmin></bndbox></part>"),
        ),
    )
    add("train", "gone", xml(obj()))
    (tmp_path / "JPEGImages" / "gone.png").unlink()
    with (tmp_path / "ImageSets" / "Main" / "train.txt").open("a") as file:
        file.write("a\nunheard\n")

    source = open_source(f"voc:{tmp_path}", "train")

    assert [label.rpartition("/")[2] for label in source.labels] == ["a.png", "bare.png", "faulty.png"]
    assert source.object_counts.tolist() == [1, 0, 2] and source.image_ids.tolist() == [1, 4, 5]
    np.testing.assert_array_equal(source.read(2)["boxes"][1], REL)
    assert source.issues.counts() == {
        "unusable annotation file": 2,
        "annotation file without an image": 1,
        "image without annotation file": 1,
        "duplicate image id": 1,
        "unusable box": 3,
        "unusable annotation record": 2,
        "box without area": 1,
        "box outside the image": 1,
        "box clipped to the image": 1,
        "image without annotations": 1,
    }


@pytest.mark.parametrize("orientation", [1, 6, 8])
def test_boxes_drawn_on_the_stored_image_are_rotated_with_it(add, tmp_path, orientation, xml, obj):
    add("train", "a", xml(obj()), orientation=orientation)

    example = open_source(f"voc:{tmp_path}", "train").read(0)

    np.testing.assert_allclose(example["boxes"][0], white_box(example["image"]), atol=1e-6)


def test_names_outside_the_folder_are_not_followed(add, tmp_path, save_image, xml, obj):
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    save_image(outside / "secret.png")
    (outside / "secret.xml").write_text(xml(obj("secret")))
    add("train", "a", xml(obj()))
    (tmp_path / "Annotations" / "b.xml").write_text(xml(obj(), filename=f"../../{outside.name}/secret.png"))
    (tmp_path / "Annotations" / "c.xml").symlink_to(outside / "secret.xml")
    (tmp_path / "JPEGImages" / "d.png").symlink_to(outside / "secret.png")
    (tmp_path / "Annotations" / "d.xml").write_text(xml(obj()))
    with (tmp_path / "ImageSets" / "Main" / "train.txt").open("a") as file:
        file.write("b\nc\nd\n")

    source = open_source(f"voc:{tmp_path}", "train")

    assert len(source) == 1 and source.categories.names == ("cat",)
    assert source.issues.counts() == {
        "image outside the folder": 2,
        "annotation file outside the folder": 1,
    }


def test_lists_may_have_names_that_end_like_marks(add, tmp_path, xml, obj):
    for name in ("scan 0", "scan 1", "scan", "plain -1"):
        add("train", name, xml(obj()))
    lists = tmp_path / "ImageSets" / "Main"
    (lists / "cat_train.txt").write_text("scan 0  1\nscan 1 -1\nscan  0\nplain -1\ngone -1\n")
    (lists / "val.txt").write_text("scan 0\nscan 7\nscan 8\nlost\n")

    train, cat = open_source(f"voc:{tmp_path}", "train"), open_source(f"voc:{tmp_path}", "cat_train")
    val = open_source(f"voc:{tmp_path}", "val")

    stems = lambda source: [label.rpartition("/")[2][:-4] for label in source.labels]
    assert stems(train) == ["scan 0", "scan 1", "scan", "plain -1"]
    assert stems(cat) == ["scan 0", "scan", "plain -1"]
    assert stems(val)[0] == "scan 0"


def test_the_reason_is_given_where_no_file_can_be_read(add, tmp_path):
    add("train", "a", "<annotation><object>")
    add("train", "b", "<annotation><object>")

    with pytest.raises(InputError, match=r"None of the 2 images .*\nunusable .*: 2 .*; the first: [ab].xml is not"):
        open_source(f"voc:{tmp_path}", "train")


def test_mended_files_are_noted_and_used(add, tmp_path, xml, obj):
    add("train", "a", xml(obj("R&D"), filename="a&b.png"))

    source = open_source(f"voc:{tmp_path}", "train")

    assert source.categories.names == ("R&D",) and source.object_counts.tolist() == [1]
    assert source.issues.counts() == {"annotation file repaired": 1}

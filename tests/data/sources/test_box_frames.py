"""Images rotated by EXIF whose size and boxes disagree: the frame in which all boxes fit is taken."""

import numpy as np
import pytest

from pix2seq_keras.data import open_source

WIDTH, HEIGHT = 60, 40  # of the images as stored; upright they are 40×60
STORED, UPRIGHT = {"width": 60, "height": 40}, {"width": 40, "height": 60}
WIDE, TALL, SMALL = [33, 4, 24, 10], [4, 33, 10, 24], [5, 5, 8, 6]  # fits only stored, only upright, both
HUGE = [2, 2, 90, 90]


@pytest.fixture
def opened(coco):
    """A function that opens images of EXIF orientation 6 with the given (size, box)."""

    def open_with(*entries, orientation=6):
        images, annotations = [], []
        for number, (size, box) in enumerate(entries, start=1):
            coco.save(coco.folder / f"{number}.png", orientation=orientation)
            images.append({"id": number, "file_name": f"{number}.png", **size})
            if box is not None:
                annotations.append({"id": number, "image_id": number, "category_id": 1, "bbox": box})
        (coco.folder / "a.png").unlink()
        return coco(images=images, annotations=annotations)

    return open_with


def upright_box(box, drawn_on):
    """The expected `rel_yxyx` of a box; orientation 6 turns the stored image clockwise."""
    x, y, width, height = box
    if drawn_on == "upright":
        return np.array([y / WIDTH, x / HEIGHT, (y + height) / WIDTH, (x + width) / HEIGHT])
    return np.array([x / WIDTH, 1 - (y + height) / HEIGHT, (x + width) / WIDTH, 1 - y / HEIGHT])


@pytest.mark.parametrize(
    ("size", "box", "drawn_on", "kind"),
    [
        (UPRIGHT, TALL, "upright", "rotated by EXIF"),
        (UPRIGHT, WIDE, "stored", "frame chosen by boxes"),
        (STORED, WIDE, "stored", "rotated by EXIF"),
        (STORED, TALL, "upright", "frame chosen by boxes"),
        ({}, WIDE, "stored", "frame chosen by boxes"),
        ({}, TALL, "upright", "rotated by EXIF"),
        (UPRIGHT, SMALL, "upright", "rotated by EXIF"),
        (STORED, SMALL, "stored", "rotated by EXIF"),
        ({"width": 80, "height": 120}, [66, 8, 48, 20], "stored", "frame chosen by boxes"),
    ],
)
def test_the_frame_that_the_boxes_fit_is_taken(opened, size, box, drawn_on, kind):
    source = opened((size, box))

    scale = 2 if size.get("width") == 80 else 1
    expected = upright_box([value / scale for value in box], drawn_on)
    np.testing.assert_allclose(source.read(0)["boxes"], [expected], atol=1e-6)
    assert source.issues.counts("note").get(kind) == 1 and source.issues.counts("problem") == {}
    assert ("rotated by EXIF" in source.issues.counts()) == (kind == "rotated by EXIF")


def test_one_image_decides_for_all_of_the_data_set(opened):
    source = opened((UPRIGHT, SMALL), (UPRIGHT, WIDE), (UPRIGHT, None))

    np.testing.assert_allclose(source.read(0)["boxes"], [upright_box(SMALL, "stored")], atol=1e-6)
    assert source.issues.counts("note")["frame chosen by boxes"] == 2
    assert "the boxes of other images of this data set fit only the other frame" in source.issues.summary()


def test_where_boxes_contradict_each_other_it_is_a_problem(opened):
    source = opened((UPRIGHT, SMALL), (UPRIGHT, WIDE), (UPRIGHT, TALL))

    boxes = [source.read(index)["boxes"][0] for index in range(3)]

    expected = [upright_box(SMALL, "upright"), upright_box(WIDE, "stored"), upright_box(TALL, "upright")]
    np.testing.assert_allclose(boxes, expected, atol=1e-6)
    assert source.issues.counts("problem") == {"undecided frame": 1, "frame chosen by boxes": 1}


def test_boxes_that_fit_no_frame_are_a_problem_unless_others_tell(opened):
    alone = opened((UPRIGHT, HUGE))
    assert alone.issues.counts("problem") == {"undecided frame": 1}
    assert "its boxes fit neither the upright nor the stored image" in alone.issues.summary()


def test_boxes_that_overhang_do_not_count_against_those_that_fit(opened):
    source = opened((UPRIGHT, HUGE), (UPRIGHT, TALL))

    assert source.issues.counts("problem") == {}


def test_frames_of_half_a_turn_are_equal_and_kept(opened):
    source = opened((STORED, HUGE), orientation=3)

    assert source.issues.counts("problem") == {} and source.issues.counts("note")["rotated by EXIF"] == 1


def test_voc_files_are_decided_alike(tmp_path, save_image):
    for name, box in (("a", (34, 5, 57, 14)), ("b", (6, 6, 13, 11))):
        save_image(tmp_path / f"{name}.png", orientation=6)
        edges = "".join(f"<{e}>{v}</{e}>" for e, v in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
        (tmp_path / f"{name}.xml").write_text(
            "<annotation><size><width>40</width><height>60</height></size>"
            f"<object><name>cat</name><bndbox>{edges}</bndbox></object></annotation>"
        )

    source = open_source(f"voc:{tmp_path}", "all")

    np.testing.assert_allclose(source.read(0)["boxes"], [upright_box(WIDE, "stored")], atol=1e-6)
    assert source.issues.counts() == {"frame chosen by boxes": 2}

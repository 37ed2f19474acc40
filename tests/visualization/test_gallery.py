import numpy as np
import pytest
from PIL import Image

from pix2seq_keras.categories import Categories
from pix2seq_keras.errors import InputError
from pix2seq_keras.visualization import detection_panels, draw_detections, save_gallery, save_image

CELL = Categories(ids=(1,), names=("cell",))


def filled(colour, size=(100, 100)):
    return np.broadcast_to(np.array(colour, np.uint8), (*size, 3)).copy()


def area_of(colour, sheet):
    return int(np.all(sheet == colour, axis=-1).sum())


def test_every_panel_is_completely_in_the_gallery(tmp_path):
    colours = [(250, 10, 10), (10, 250, 10), (10, 10, 250), (250, 10, 250), (10, 250, 250)]

    save_gallery(tmp_path / "run" / "gallery.png", [(filled(colour), "caption") for colour in colours], title="title")

    sheet = np.asarray(Image.open(tmp_path / "run" / "gallery.png"))
    assert [area_of(colour, sheet) for colour in colours] == [100 * 100] * 5
    assert sheet.shape[1] > 4 * 100  # four columns
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["gallery.png"]  # no temporary file is left


def test_cells_are_equal_and_large_images_keep_their_aspect_ratio(tmp_path):
    panels = [(filled((250, 10, 10), (1000, 2000)), "wide"), (filled((10, 10, 250), (60, 30)), "small")]

    save_gallery(tmp_path / "gallery.png", panels, columns=1)

    sheet = np.asarray(Image.open(tmp_path / "gallery.png"))
    assert area_of((250, 10, 10), sheet) == 480 * 240
    assert area_of((10, 10, 250), sheet) == 60 * 30
    rows = [np.nonzero(np.all(sheet == colour, axis=-1).any(axis=1))[0] for colour in ((250, 10, 10), (10, 10, 250))]
    assert rows[1].mean() - rows[0].mean() > 240  # the second cell is as high as the first


def test_long_captions_are_cut_to_the_width_of_their_cell(tmp_path):
    save_gallery(tmp_path / "one.png", [(filled((9, 9, 9)), "x " * 500)])
    save_gallery(tmp_path / "other.png", [(filled((9, 9, 9)), "x")])

    assert Image.open(tmp_path / "one.png").size == Image.open(tmp_path / "other.png").size


def test_a_gallery_without_panels_is_refused(tmp_path):
    with pytest.raises(InputError, match="at least one panel"):
        save_gallery(tmp_path / "gallery.png", [])


def test_panels_show_detections_above_the_threshold_over_ground_truth():
    image = filled((128, 128, 128), (400, 400))
    truth = np.array([[0.1, 0.1, 0.4, 0.4], [0, 0, 0, 0]], np.float32)
    example = {"image": image, "image_id": 17, "boxes": truth, "classes": np.array([0, -1])}
    detections = {  # batch padded by one row
        "boxes": np.array([[[0.1, 0.1, 0.4, 0.4], [0.6, 0.6, 0.9, 0.9], [0, 0, 0, 0]]] * 2),
        "classes": np.array([[0, 0, -1]] * 2),
        "scores": np.array([[0.9, 0.2, 0.0]] * 2),
    }

    panels = detection_panels([example], detections, CELL, threshold=0.5)

    ((drawn, caption),) = panels
    expected = draw_detections(image, truth, [0, -1], dashed=True)
    expected = draw_detections(expected, truth[:1], [0], [0.9], names=CELL.names)
    assert np.array_equal(drawn, expected)
    assert caption == "17: 1 detected, 1 labelled"


def test_panels_work_without_ground_truth():
    example = {"image": filled((1, 2, 3), (400, 400)), "image_id": "a.png"}
    nothing = {"boxes": np.zeros((1, 5, 4)), "classes": np.full((1, 5), -1), "scores": np.zeros((1, 5))}

    ((drawn, caption),) = detection_panels([example], nothing, CELL)

    assert np.array_equal(drawn, example["image"])
    assert caption == "a.png: 0 detected"


def test_a_saved_image_is_read_back_unchanged(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)

    save_image(tmp_path / "image.png", image)

    assert np.array_equal(np.asarray(Image.open(tmp_path / "image.png")), image)


def test_the_error_names_the_image_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way of a folder")

    with pytest.raises(InputError, match=r"image\.png cannot be written"):
        save_image(tmp_path / "file" / "image.png", filled((0, 0, 0)))

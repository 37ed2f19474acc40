"""Predicting: annotated images and one JSON file."""

import json

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from pix2seq_keras import Categories
from pix2seq_keras.commands.predict import predict
from pix2seq_keras.errors import InputError
from pix2seq_keras.inference import RefusedImagesError
from pix2seq_keras.inference.predict import find_images, predict_images, unused_files


class Finder:
    """Detects in every image a "b" in the left half with a high score, and an "a" in the lower half with a low one."""

    categories = Categories((3, 7), ("a", "b"))

    def __init__(self):
        self.sizes = []

    def detect(self, images, batch_size, **options):
        self.sizes.append(len(images))
        one = {
            "boxes": np.array([[0, 0, 1, 0.5], [0.5, 0, 1, 1], [0, 0, 0, 0]], np.float32),
            "classes": np.array([1, 0, -1]),
            "scores": np.array([0.9, 0.2, 0.0], np.float32),
            "num_detections": 2,
        }
        return {name: np.stack([np.asarray(value)] * len(images)) for name, value in one.items()}


@pytest.fixture
def images(tmp_path):
    """A folder with two images, one of them in a folder below, and a text file."""
    folder = tmp_path / "images"
    (folder / "below").mkdir(parents=True)
    Image.new("RGB", (40, 20), "black").save(folder / "b.png")
    Image.new("RGB", (60, 50), "black").save(folder / "below" / "b.JPG")
    (folder / "notes.txt").write_text("no image")
    return folder


def test_folders_are_searched_in_order_and_single_files_kept(images):
    (images / "a").touch()
    found = find_images([images, images / "notes.txt"])
    assert found == [images / "b.png", images / "below" / "b.JPG", images / "notes.txt"]


def test_missing_paths_and_empty_folders_are_refused(images, tmp_path):
    with pytest.raises(InputError, match="no image or folder"):
        find_images([images, tmp_path / "missing.png"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no image"):
        find_images([tmp_path / "empty"])


def test_every_ending_of_an_image_is_found_and_the_files_that_are_not_read_are_named(images):
    names = ["a.jfif", "c.JPE", "d.mpo", "e.avif", "f.JP2", "g.WebP", "h.tiff"]
    for name in [*names, "x.arw", "below/y.psd", "predictions.json"]:
        (images / name).touch()

    found = find_images([images])

    assert sorted(path.name for path in found) == sorted([*names, "b.png", "b.JPG"])
    assert unused_files([images, images / "b.png"]) == f"2 files, such as '{images}/below/y.psd', '{images}/x.arw'"
    assert unused_files([images / "b.png"]) == ""


def test_a_folder_of_other_files_is_refused_with_their_names(tmp_path):
    (tmp_path / "x.arw").touch()

    with pytest.raises(InputError, match=r"holds no image .*, but 1 file, such as .*x\.arw"):
        find_images([tmp_path])


def test_the_command_says_which_files_it_did_not_read(images, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("pix2seq_keras.inference.open_model", lambda _: Finder())
    (images / "x.arw").touch()

    predict("any", [str(images)], str(tmp_path / "out"), {})

    assert "no images by their endings: 1 file" in capsys.readouterr().out


def test_boxes_are_written_in_pixels_with_the_ids_of_the_data(images, tmp_path):
    result, problems = predict_images(Finder(), [images], tmp_path / "out", threshold=0.5)
    assert problems == []
    assert [(r["image_id"], r["category_id"], r["bbox"]) for r in result["annotations"]] == [
        (1, 7, [0, 0, 20, 20]),
        (2, 7, [0, 0, 30, 50]),
    ]
    assert result["annotations"][1]["score"] == pytest.approx(0.9)
    assert result["categories"] == [{"id": 3, "name": "a"}, {"id": 7, "name": "b"}]
    assert json.loads((tmp_path / "out" / "predictions.json").read_text()) == result


def test_the_json_opens_as_coco(images, tmp_path):
    path = tmp_path / "elsewhere" / "boxes.json"
    predict_images(Finder(), [images], tmp_path / "out", path, threshold=0.1)
    coco = COCO(path)
    assert len(coco.getImgIds()) == 2 and len(coco.getAnnIds()) == 4
    assert [r["name"] for r in coco.loadCats(coco.getCatIds())] == ["a", "b"]
    assert not (tmp_path / "out" / "predictions.json").exists()


def test_every_image_gets_an_annotated_one_of_its_shape_and_a_name_of_its_own(images, tmp_path):
    result, _ = predict_images(Finder(), [images], tmp_path / "out")
    assert [record["annotated"] for record in result["images"]] == ["b.png", "b_2.png"]
    for record in result["images"]:
        drawn = np.asarray(Image.open(tmp_path / "out" / record["annotated"]))
        height, width = drawn.shape[:2]  # small images are enlarged
        assert width / record["width"] == height / record["height"] >= 1
        assert drawn.max() > 0  # a box on black


def test_images_that_cannot_be_read_are_left_out_and_the_others_go_on(images, tmp_path):
    (images / "a.jpg").write_text("text")
    (images / "z.png").write_bytes(b"")
    finder = Finder()
    result, problems = predict_images(finder, [images], tmp_path / "out", batch_size=2)
    assert [record["id"] for record in result["images"]] == [1, 2]
    assert len(problems) == 2 and "a.jpg" in problems[0] and "z.png" in problems[1]


def test_nothing_but_unreadable_images_gives_an_empty_coco_file(tmp_path):
    (tmp_path / "a.jpg").write_text("text")
    result, problems = predict_images(Finder(), [tmp_path / "a.jpg"], tmp_path / "out")
    assert (result["images"], result["annotations"], len(problems)) == ([], [], 1)


def test_an_image_is_never_overwritten_by_its_annotated_copy(images):
    before = (images / "b.png").read_bytes()
    with pytest.raises(InputError, match=r"would overwrite 1 of the images themselves.*b\.png"):
        predict_images(Finder(), [images], images / "below" / "..")
    assert (images / "b.png").read_bytes() == before


def test_a_model_without_categories_numbers_its_classes(images, tmp_path):
    from pix2seq_keras import Vocabulary

    finder = Finder()
    finder.categories, finder.vocabulary = None, Vocabulary(2, 16)
    result, _ = predict_images(finder, [images / "b.png"], tmp_path / "out")
    assert [record["name"] for record in result["categories"]] == ["class 0", "class 1"]
    assert result["annotations"][0]["category_id"] == result["categories"][1]["id"]


@pytest.mark.parametrize("output, json_path", [("file", None), ("file/out", None), ("out", "file/boxes.json")])
def test_an_output_that_cannot_be_written_is_named_before_any_work(images, tmp_path, output, json_path):
    (tmp_path / "file").touch()
    finder = Finder()
    with pytest.raises(InputError, match=r"file.* cannot be written"):
        predict_images(finder, [images], tmp_path / output, json_path and tmp_path / json_path)
    assert finder.sizes == []


class Choosy(Finder):
    """Like an exported model: takes files, no large ones, and refuses those named "bad"."""

    prefers_files, max_pixels = True, 2500

    def detect(self, images, batch_size, **options):
        bad = {place: f"{path} was refused." for place, path in enumerate(images) if path.stem == "bad"}
        if bad:
            raise RefusedImagesError(bad)
        return super().detect(images, batch_size, **options)


def test_images_that_an_exported_model_refuses_are_left_out_and_the_others_go_on(tmp_path):
    for name, size in (("a", 20), ("bad", 20), ("c", 51), ("d", 30), ("e", 50), ("f", 20)):
        Image.new("RGB", (size, size)).save(tmp_path / f"{name}.png")
    finder = Choosy()
    result, problems = predict_images(finder, [tmp_path], tmp_path / "out", batch_size=4)
    assert [record["annotated"] for record in result["images"]] == ["a.png", "d.png", "e.png", "f.png"]
    assert len(problems) == 2
    assert "c.png" in problems[0] and "51×51 pixels" in problems[0]
    assert problems[1] == f"{tmp_path / 'bad.png'} was refused."
    assert finder.sizes == [3, 1]

"""Files beside the images that are not used are said, in one note."""

import json

import pytest
from PIL import Image

from pix2seq_keras.data import open_source
from pix2seq_keras.data.images.read_image import read_image
from pix2seq_keras.data.sources.listing import IMAGE_SUFFIXES
from pix2seq_keras.data.sources.unused_files import count_and_names, may_be_missed

XML = (
    "<annotation><object><name>a</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"
    "</object></annotation>"
)
UNUSED = ("b.arw", "c.PSD", "d.mp4")
SILENT = ("notes.txt", "more.json", "README.md", "Thumbs.db", ".DS_Store", "labels.cache", "LICENSE")


@pytest.fixture
def folder_of(tmp_path, save_image):
    """A function that makes a data set with one image, and further files beside it; returns its source."""

    def make(kind, names):
        (tmp_path / "images").mkdir()
        save_image(tmp_path / "images" / "a.png")
        for name in names:
            (tmp_path / "images" / name).write_bytes(b"?")
        if kind == "coco":
            document = {
                "images": [{"id": 1, "file_name": "a.png"}],
                "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5]}],
                "categories": [{"id": 1, "name": "a"}],
            }
            (tmp_path / "a.json").write_text(json.dumps(document))
            return f"coco:{tmp_path}/a.json+{tmp_path}/images"
        if kind == "voc":
            (tmp_path / "annotations").mkdir()
            (tmp_path / "annotations" / "a.xml").write_text(XML)
            return f"voc:{tmp_path}"
        (tmp_path / "labels").mkdir()
        (tmp_path / "labels" / "a.txt").write_text("0 0.5 0.5 0.5 0.5\n")
        (tmp_path / "data.yaml").write_text("all: images\nnames: [a]")
        return f"yolo:{tmp_path}/data.yaml"

    return make


@pytest.mark.parametrize("kind", ["coco", "voc", "yolo"])
def test_files_that_are_no_images_are_noted_once_with_their_number_and_names(folder_of, kind):
    source = open_source(folder_of(kind, [*UNUSED, *SILENT]), "all")

    notes = [issue for issue in source.issues if issue.kind == "unused files"]
    assert len(notes) == 1 and notes[0].severity == "note" and "3 files, such as" in notes[0].message
    assert all(name in notes[0].message for name in UNUSED)
    assert not source.issues.counts("problem") and len(source) == 1


@pytest.mark.parametrize("kind", ["coco", "voc", "yolo"])
def test_annotations_and_files_of_tools_are_not_noted(folder_of, kind):
    assert len(open_source(folder_of(kind, SILENT), "all").issues) == 0


def test_images_that_no_coco_record_names_are_noted(folder_of, tmp_path, save_image):
    source = folder_of("coco", [])
    save_image(tmp_path / "images" / "b.png")
    (tmp_path / "images" / "c.JFIF").write_bytes((tmp_path / "images" / "b.png").read_bytes())
    (tmp_path / "images" / "sub").mkdir()

    issues = open_source(source, "all").issues

    assert issues.counts() == {"unused files": 1}
    assert "2 files, such as 'b.png', 'c.JFIF'" in next(iter(issues)).message


def test_images_of_other_splits_in_one_folder_are_not_noted(folder_of, tmp_path, save_image):
    folder_of("coco", [])
    save_image(tmp_path / "images" / "b.png")
    (tmp_path / "annotations").mkdir()
    text = (tmp_path / "a.json").read_text()
    (tmp_path / "annotations" / "train.json").write_text(text)
    assert open_source(f"coco:{tmp_path}", "train").issues.counts() == {"unused files": 1}

    (tmp_path / "annotations" / "val.json").write_text(text.replace("a.png", "b.png"))

    assert len(open_source(f"coco:{tmp_path}", "train").issues) == 0


def test_a_second_image_of_an_xml_file_is_noted(folder_of, tmp_path, save_image):
    source = folder_of("voc", [])
    save_image(tmp_path / "images" / "a.bmp")

    issues = open_source(source, "all").issues

    assert issues.counts() == {"unused files": 1} and "a.png" in next(iter(issues)).message


def test_all_endings_of_the_formats_that_are_read_are_in_the_list_and_can_be_read(tmp_path):
    Image.init()
    formats = {"JPEG", "MPO", "PNG", "BMP", "DIB", "GIF", "WEBP", "TIFF", "PPM", "JPEG2000", "AVIF"}
    known = {suffix: name for suffix, name in Image.EXTENSION.items() if name in formats and name in Image.SAVE}
    pixels = Image.new("RGB", (16, 16), (255, 255, 255))

    assert set(known) - {".pfm"} <= set(IMAGE_SUFFIXES)  # .pfm has 32-bit pixels, which no value of means white
    for suffix in IMAGE_SUFFIXES:
        path = tmp_path / f"a{suffix.upper()}"
        name = {"DIB": "BMP", "MPO": "JPEG"}.get(known.get(suffix), known.get(suffix))
        if name is not None:
            (pixels.convert("1") if suffix == ".pbm" else pixels).save(path, format=name)
            assert read_image(path).mean() > 250, suffix


def test_only_files_that_may_be_meant_as_images_are_missed():
    assert all(map(may_be_missed, UNUSED)) and not any(map(may_be_missed, [*SILENT, "a.jpe"]))
    assert count_and_names(["a.b"]) == "1 file, such as 'a.b'"

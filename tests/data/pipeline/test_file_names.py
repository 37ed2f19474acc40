"""Images whose names are not UTF-8, as in archives from Windows, are checked, trained on and detected in."""

import io
import json
import os

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras import cli
from pix2seq_keras.data import Augmentation, open_source, training_dataset
from pix2seq_keras.inference.predict import predict_images
from pix2seq_keras.sequences import SequenceOptions

NAME, BROKEN = os.fsdecode(b"caf\xe9"), os.fsdecode(b"broken\xe9")
XML = (
    "<annotation><object><name>a</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"
    "</object></annotation>"
)


@pytest.fixture
def folder(tmp_path):
    """A folder with an image, a truncated one and their labels in three formats."""
    folder = tmp_path / "set"
    folder.mkdir()
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)).save(file, "png")
    (folder / f"{NAME}.png").write_bytes(file.getvalue())
    (folder / f"{BROKEN}.png").write_bytes(file.getvalue()[:-400])
    for stem in (NAME, BROKEN):
        (folder / f"{stem}.xml").write_text(XML)
        (folder / f"{stem}.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    # One name as a program with the right encoding writes it, one as Python does.
    names = ["café.png", f"{BROKEN}.png"]
    document = {
        "images": [{"id": i, "file_name": name} for i, name in enumerate(names)],
        "annotations": [{"id": i, "image_id": i, "category_id": 0, "bbox": [1, 1, 9, 9]} for i in range(2)],
        "categories": [{"id": 0, "name": "a"}],
    }
    (folder / "a.json").write_text(json.dumps(document))
    (folder / "data.yaml").write_text("all: .\nnames: [a]\n")
    return folder


FORMATS = ("coco:{0}/a.json+{0}", "voc:{0}", "yolo:{0}/data.yaml")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("cached", [False, True])
def test_images_are_trained_on(form, cached, folder, tiny_vocabulary, tmp_path):
    source = open_source(form.format(folder), "all")
    cache = None
    if cached:
        from pix2seq_keras.data.images.image_cache import ImageCache

        cache = ImageCache(tmp_path / "cache", longest_side=16)
    options = SequenceOptions(max_objects=2), Augmentation()

    data = training_dataset(source, tiny_vocabulary, (32, 32), 2, *options, cache=cache)
    images = next(iter(data.take(1).as_numpy_iterator()))[0]["images"]

    assert images.shape == (2, 32, 32, 3) and images.std() > 0.05
    assert source.issues.counts()["unreadable image"] == 1


@pytest.mark.parametrize("form", FORMATS)
def test_data_check_reports_them(form, folder, tmp_path, capsys):
    report, page = tmp_path / "report.json", tmp_path / "report.html"

    status = cli.main(
        ["data", "check", form.format(folder), "--split", "all", "--json", str(report), "--html", str(page)]
    )

    assert not status and "broken" in capsys.readouterr().out
    assert "broken" in json.dumps(json.loads(report.read_text())) and "broken" in page.read_text()


def test_detect_and_predict_read_them(folder, tiny_model, tmp_path):
    pixels = open_source(f"voc:{folder}", "all").read(1)["image"]

    objects = tiny_model.detect([folder / f"{NAME}.png"], sampler="greedy")
    result, problems = predict_images(tiny_model, [folder], tmp_path / "out", sampler="greedy")

    np.testing.assert_array_equal(objects["boxes"], tiny_model.detect([pixels], sampler="greedy")["boxes"])
    assert len(result["images"]) == 1 and len(problems) == 1
    assert (tmp_path / "out" / f"{NAME}.png").is_file()
    assert json.loads((tmp_path / "out" / "predictions.json").read_text())["images"][0]["annotated"] == f"{NAME}.png"

"""The table of data formats: a format is one folder and one row."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pix2seq_keras.data import open_source
from pix2seq_keras.data.convert import convert_source
from pix2seq_keras.data.formats import (
    FORMATS,
    DataFormat,
    find_format,
    find_writable_format,
    markdown_table,
    source_forms,
    writable_formats,
)
from pix2seq_keras.data.split_names import annotation_file, list_splits
from pix2seq_keras.errors import InputError

REPOSITORY = Path(__file__).resolve().parents[2]
# A format that keeps each split as an .npz file of images with one box each.
MODULES = {
    "__init__": "",
    "read": """
import numpy as np
from pix2seq_keras.categories import Categories
from pix2seq_keras.data.issues import Issues
from pix2seq_keras.data.sources.source import Source

def open_location(location, split):
    with np.load(f"{location}/{split}.npz") as arrays:
        images, boxes, classes = arrays["images"], arrays["boxes"], arrays["classes"]
    read = lambda index: {
        "image": images[index], "image_id": np.int64(index + 1), "boxes": boxes[index : index + 1],
        "classes": classes[index : index + 1], "is_crowd": np.zeros(1, bool), "area": np.ones(1, np.float32),
    }
    categories, ones = Categories.from_names(["red", "green", "blue"]), np.ones(len(images), int)
    return Source(f"toy:{location}", split, categories, np.arange(1, 1 + len(images)), Issues(), read, ones > 0, ones)
""",
    "splits": """
from pathlib import Path

def list_splits(location):
    return [file.stem for file in Path(location).glob("*.npz")]
""",
    "write": """
import numpy as np

def write_toy(folder, splits, counts):
    for name, source in splits.items():
        examples = [source.read(index) for index in range(len(source))]
        np.savez(
            folder / f"{name}.npz",
            images=np.stack([example["image"] for example in examples]),
            boxes=np.stack([example["boxes"][0] for example in examples]),
            classes=np.stack([example["classes"][0] for example in examples]),
        )
        for _ in examples:
            counts.image_done()
            counts.add_image(name, 1)
        counts.add_note("objects are left out", sum(len(example["boxes"]) - 1 for example in examples))
""",
}
ROW = DataFormat(
    name="toy",
    forms=("toy:DIR",),
    description="one array file for each split",
    read="toy_format.read.open_location",
    splits="toy_format.splits.list_splits",
    write="toy_format.write.write_toy",
    read_back="toy:{folder}",
    losses="all objects but the first",
)


@pytest.fixture
def toy_format(tmp_path, monkeypatch):
    """Adds a format: one folder and one row."""
    folder = tmp_path / "modules" / "toy_format"
    folder.mkdir(parents=True)
    for name, text in MODULES.items():
        (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(folder.parent)
    monkeypatch.setitem(FORMATS, "toy", ROW)


def test_a_new_format_is_one_folder_and_one_row(toy_format, write_rectangles, tmp_path):
    coco = open_source(f"coco:{write_rectangles(tmp_path / 'coco', {'train': 5})}", "train")

    conversion = convert_source({"train": coco, "val": coco.part([0, 1])}, tmp_path / "toy", to="toy")
    source = open_source(conversion.source, "train[1:]")

    assert conversion.source == f"toy:{tmp_path}/toy" and conversion.images == {"train": 5, "val": 2}
    assert conversion.notes == ("14 objects are left out",)
    assert list_splits(conversion.source) == ["train", "val"] and annotation_file(conversion.source, "val") is None
    assert source.image_ids.tolist() == [2, 3, 4, 5]
    np.testing.assert_array_equal(source.read(3)["image"], coco.read(4)["image"])
    assert len(open_source(f"mix:[{conversion.source}]+[coco:{tmp_path / 'coco'}]", "train")) == 10
    assert open_source(convert_source(source, tmp_path / "back", to="coco").source, "train").object_counts.sum() == 4


def test_help_errors_and_docs_include_a_new_format(toy_format):
    assert "toy" in writable_formats() and "toy:DIR" in source_forms()
    assert "| `toy:DIR` | one array file for each split | all objects but the first |" in markdown_table()
    with pytest.raises(InputError, match=r"must be one of .*toy:DIR.* Received: 'cocos:x'"):
        open_source("cocos:x", "train")
    with pytest.raises(InputError, match=r"`to` must be one of .*toy\. Received: to='csv'"):
        find_writable_format("csv")


def test_the_table_in_the_docs_is_generated_from_the_formats():
    text = (REPOSITORY / "docs" / "data.md").read_text()

    assert f"\n\n{markdown_table()}\n\n" in text, f"replace the table of formats in docs/data.md by\n{markdown_table()}"
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("row", FORMATS.values(), ids=FORMATS)
def test_every_row_names_functions_that_exist(row):
    assert callable(row.function("read")) and callable(row.function("splits"))
    assert (row.function("write") is None) == (row.read_back == "") == (row.losses == "")
    assert all(find_format(form)[0] is row for form in row.forms)


def test_the_table_imports_neither_tensorflow_nor_numpy():
    modules = "{'tensorflow', 'numpy', 'tensorflow_datasets'} & set(sys.modules)"
    program = f"import sys, pix2seq_keras.data.formats; sys.exit(bool({modules}))"

    assert subprocess.run([sys.executable, "-c", program], check=False, cwd=REPOSITORY).returncode == 0

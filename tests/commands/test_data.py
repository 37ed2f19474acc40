"""`pix2seq data …`: exit statuses, files, and previews that are the training's own images."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras import cli, reports
from pix2seq_keras.data import open_source
from pix2seq_keras.training import recipe as recipes
from pix2seq_keras.training.building import build_dataset, build_model


@pytest.fixture(scope="module")
def folder(write_rectangles, tmp_path_factory):
    backgrounds = lambda index: 40 * index
    return write_rectangles(tmp_path_factory.mktemp("data") / "coco", {"train": 5, "val": 2}, background=backgrounds)


@pytest.fixture
def run(capsys):
    """Runs the command here: its exit status, and what it says on both streams."""

    def run(*arguments):
        try:
            status = cli.main(["data", *map(str, arguments)])
        except SystemExit as stop:
            status = stop.code
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return status, said.out, said.err

    return run


@pytest.fixture
def spoilt(folder, edit_annotations, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "spoilt")
    edit_annotations(copy, "train", lambda document: document["annotations"][0].update(bbox=[1, 1, 0, 9]))
    return copy


# === check ===


def test_sound_data_is_status_0_even_if_strict(run, folder, tmp_path):
    files = ["--json", tmp_path / "report.json", "--html", tmp_path / "report.html"]

    status, out, _ = run("check", f"coco:{folder}", "--strict", *files)

    assert status == 0 and "0 issues. The data can be used for training." in out
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["splits"]["train"]["objects"] == 15 and list(report["splits"]) == ["train", "val"]
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")


def test_a_issue_is_status_0_and_strict_makes_it_1(run, spoilt):
    assert run("check", f"coco:{spoilt}")[0] == 0
    status, out, _ = run("check", f"coco:{spoilt}", "--strict")
    assert status == 1 and "annotations[0]" in out
    assert run("check", f"coco:{spoilt}", "--strict", "--split", "val")[0] == 0


def test_what_cannot_be_used_is_status_2(run, folder, edit_annotations, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    edit_annotations(copy, "train", lambda document: document.update(annotations=[]))
    assert run("check", f"coco:{copy}")[0] == 2
    assert run("check", f"coco:{copy}", "--split", "val")[0] == 0
    for arguments, words in (
        (["coco:none"], "There is no folder"),
        ([f"coco:{folder}", "--split", "night"], "'night'"),
        ([f"coco:{folder}", "--recipe", "cocoa"], "There is no recipe"),
        ([f"coco:{folder}", "--max_objects", "0"], "`max_objects` must be at least 1"),
        ([f"coco:{folder}", "--html", tmp_path / "none" / "a.html"], "cannot be written"),
    ):
        status, _, err = run("check", *arguments)
        assert status == 2 and words in err


def test_sequence_lengths_are_held_against_the_recipe(run, folder, tmp_path):
    (tmp_path / "mine.yaml").write_text("sequence: {max_objects: 2}\n")
    flags = ["--json", tmp_path / "report.json", "--split", "train,val"]

    status, out, _ = run("check", f"coco:{folder}", "--recipe", tmp_path / "mine.yaml", *flags)

    assert status == 0 and "more objects than max_objects" in out
    sequences = json.loads((tmp_path / "report.json").read_text())["splits"]["train"]["sequences"]
    assert sequences == {"max_objects": 2, "longest_tokens": 15, "images_over_limit": 5, "objects_over_limit": 5}


# === convert ===


@pytest.mark.parametrize("to", ["coco", "yolo"])
def test_converted_data_reads_back_as_it_was(run, folder, to, tmp_path):
    status, out, _ = run("convert", f"coco:{folder}", "--split", "train,val", "--to", to, "--output", tmp_path / "new")

    assert status == 0 and "train: 5 images, 15 objects" in out
    again = out.strip().splitlines()[-1].removeprefix("To read it: ")
    for split in ("train", "val"):
        before, after = open_source(f"coco:{folder}", split), open_source(again, split)
        assert len(before) == len(after)
        for index in range(len(before)):
            one, other = before.read(index), after.read(index)
            np.testing.assert_array_equal(one["image"], other["image"])
            np.testing.assert_array_equal(one["boxes"], other["boxes"])
            np.testing.assert_array_equal(one["classes"], other["classes"])


def test_convert_refuses_what_it_cannot_do(run, folder, tmp_path):
    for to, output, words in (("csv", "new", "coco, voc, yolo, tfrecord"), ("coco", ".", "not empty")):
        (tmp_path / "something").touch()
        status, _, err = run("convert", f"coco:{folder}", "--to", to, "--output", tmp_path / output)
        assert status == 2 and words in err


# === preview ===

FLAGS = ["--recipe", "digits_demo", "--sequence.max_objects", "6", "--augmentation.max_scale", "1.5"]


def test_preview_shows_the_first_examples_of_that_very_training(run, folder, monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(reports, "save_training_gallery", lambda path, examples, *rest: seen.append((examples, rest)))
    source = [
        "--data.source",
        f"coco:{folder}",
        "--output",
        tmp_path / "a.png",
        "--seed",
        "3",
        "--augmentation.flip=0.5",
    ]

    status, out, _ = run("preview", *FLAGS, *source, "--count", "5")

    assert status == 0 and "5 training images" in out
    ((shown, (vocabulary, names, _)),) = seen
    recipe = recipes.load(recipes.find("digits_demo"))
    recipe = dataclasses.replace(
        recipe,
        seed=3,
        batch_size=5,
        data=dataclasses.replace(recipe.data, source=f"coco:{folder}"),
        sequence=dataclasses.replace(recipe.sequence, max_objects=6),
        augmentation=dataclasses.replace(recipe.augmentation, max_scale=1.5, flip=0.5),
    )
    opened = open_source(f"coco:{folder}", "train")
    model = build_model(recipe, opened.categories)
    (x, targets, weights) = next(iter(build_dataset(recipe, opened, model)))
    np.testing.assert_array_equal(np.stack([example[0]["images"] for example in shown]), x["images"])
    np.testing.assert_array_equal(np.stack([example[1] for example in shown]), targets)
    np.testing.assert_array_equal(np.stack([example[2] for example in shown]), weights)
    assert vocabulary == model.vocabulary and names == ("red", "green", "blue")


def test_preview_writes_a_png_and_another_seed_another(run, folder, tmp_path):
    sheets = []
    for seed in (0, 1):
        path = tmp_path / f"{len(sheets)}.png"
        source = ["--data.source", f"coco:{folder}", "--output", path, "--seed", seed, "--count", 2]
        assert run("preview", *FLAGS, *source)[0] == 0
        sheets.append(np.asarray(Image.open(path)))
    assert sheets[0].shape == sheets[1].shape and (sheets[0] != sheets[1]).any()
    assert sheets[0].shape[1] > 2 * 480


def test_preview_refuses_what_it_cannot_use(run, folder, tmp_path):
    source = ["--data.source", f"coco:{folder}", "--output", tmp_path / "a.png"]
    (tmp_path / "file").touch()
    for arguments, words in (
        (source, "Name a recipe"),
        ([*FLAGS, *source, "--count", "0"], "count must be at least 1"),
        ([*FLAGS, "--data.source", "coco:none"], "There is no folder"),
        ([*FLAGS, *source, "--output", tmp_path / "file" / "a.png"], "cannot be written"),
    ):
        status, _, err = run("preview", *arguments)
        assert status == 2 and words in err

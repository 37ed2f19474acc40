"""`pix2seq data …`: exit statuses, files, and previews of the images of a training run."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras import cli, reports
from pix2seq_keras.data import open_source
from pix2seq_keras.training import recipe_files as recipes
from pix2seq_keras.training.building import build_dataset, build_model


@pytest.fixture(scope="module")
def folder(write_rectangles, tmp_path_factory):
    backgrounds = lambda index: 40 * index
    return write_rectangles(tmp_path_factory.mktemp("data") / "coco", {"train": 5, "val": 2}, background=backgrounds)


@pytest.fixture
def run(capsys):
    """Runs the command in this process: its exit status and its output on both streams."""

    def run(*arguments):
        try:
            status = cli.main(["data", *map(str, arguments)])
        except SystemExit as stop:
            status = stop.code
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return status, printed.out, printed.err

    return run


@pytest.fixture
def defective(folder, edit_annotations, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "defective")
    edit_annotations(copy, "train", lambda document: document["annotations"][0].update(bbox=[1, 1, 0, 9]))
    return copy


# === check ===


def test_data_without_issues_is_status_0_with_strict_too(run, folder, tmp_path):
    files = ["--json", tmp_path / "report.json", "--html", tmp_path / "report.html"]

    status, out, _ = run("check", f"coco:{folder}", "--strict", *files)

    assert status == 0 and "0 issues. The data can be used for training." in out
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["splits"]["train"]["objects"] == 15 and list(report["splits"]) == ["train", "val"]
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")


def test_an_issue_is_status_0_and_with_strict_1(run, defective):
    assert run("check", f"coco:{defective}")[0] == 0
    status, out, _ = run("check", f"coco:{defective}", "--strict")
    assert status == 1 and "annotations[0]" in out
    assert run("check", f"coco:{defective}", "--strict", "--split", "val")[0] == 0


def test_unusable_data_is_status_2(run, folder, edit_annotations, tmp_path):
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


def test_sequence_lengths_are_compared_with_the_recipe(run, folder, tmp_path):
    (tmp_path / "mine.yaml").write_text("sequence: {max_objects: 2}\n")
    flags = ["--json", tmp_path / "report.json", "--split", "train,val"]

    status, out, _ = run("check", f"coco:{folder}", "--recipe", tmp_path / "mine.yaml", *flags)

    assert status == 0 and "more objects than max_objects" in out
    sequences = json.loads((tmp_path / "report.json").read_text())["splits"]["train"]["sequences"]
    assert sequences == {"max_objects": 2, "longest_tokens": 15, "images_over_limit": 5, "objects_over_limit": 5}


# === convert ===


@pytest.mark.parametrize("to", ["coco", "yolo"])
def test_converted_data_is_read_back_unchanged(run, folder, to, tmp_path):
    status, out, _ = run("convert", f"coco:{folder}", "--split", "train,val", "--to", to, "--output", tmp_path / "new")

    assert status == 0 and "train: 5 images, 15 objects" in out
    again = out.strip().splitlines()[-1].removeprefix("Source: ")
    for split in ("train", "val"):
        before, after = open_source(f"coco:{folder}", split), open_source(again, split)
        assert len(before) == len(after)
        for index in range(len(before)):
            one, other = before.read(index), after.read(index)
            np.testing.assert_array_equal(one["image"], other["image"])
            np.testing.assert_array_equal(one["boxes"], other["boxes"])
            np.testing.assert_array_equal(one["classes"], other["classes"])


def test_convert_refuses_other_formats_and_folders_with_content(run, folder, tmp_path):
    cases = (
        ("csv", "new", "`to` must be one of coco, voc, yolo, tfrecord"),
        ("coco", ".", "must be a new or empty folder"),
    )
    for to, output, words in cases:
        (tmp_path / "something").touch()
        status, _, err = run("convert", f"coco:{folder}", "--to", to, "--output", tmp_path / output)
        assert status == 2 and words in err


# === preview ===

FLAGS = ["--recipe", "digits_demo", "--sequence.max_objects", "6", "--augmentation.max_scale", "1.5"]


def test_preview_shows_the_first_examples_of_the_training_run(run, folder, monkeypatch, tmp_path):
    galleries = []
    monkeypatch.setattr(
        reports, "save_training_gallery", lambda path, examples, *rest: galleries.append((examples, rest))
    )
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
    ((shown, (vocabulary, names, _)),) = galleries
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


def test_preview_with_another_seed_writes_another_png(run, folder, tmp_path):
    sheets = []
    for seed in (0, 1):
        path = tmp_path / f"{len(sheets)}.png"
        source = ["--data.source", f"coco:{folder}", "--output", path, "--seed", seed, "--count", 2]
        assert run("preview", *FLAGS, *source)[0] == 0
        sheets.append(np.asarray(Image.open(path)))
    assert sheets[0].shape == sheets[1].shape and (sheets[0] != sheets[1]).any()
    assert sheets[0].shape[1] > 2 * 480


def test_preview_refuses_missing_recipes_and_wrong_options(run, folder, tmp_path):
    source = ["--data.source", f"coco:{folder}", "--output", tmp_path / "a.png"]
    (tmp_path / "file").touch()
    for arguments, words in (
        (source, "`--recipe` is required"),
        ([*FLAGS, *source, "--count", "0"], "`--count` must be at least 1"),
        ([*FLAGS, "--data.source", "coco:none"], "There is no folder"),
        ([*FLAGS, *source, "--output", tmp_path / "file" / "a.png"], "cannot be written"),
    ):
        status, _, err = run("preview", *arguments)
        assert status == 2 and words in err

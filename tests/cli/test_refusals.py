"""Input that cannot be used ends the command with status 2 and one message, without a traceback."""

import shutil
import zipfile

import pytest

from pix2seq_keras import cli


def test_a_missing_folder_gives_one_line_on_standard_error(pix2seq, tmp_path):
    process = pix2seq("train", "--recipe", "bccd", "--data.source", "coco:none", "--output", tmp_path / "run", status=2)
    (line,) = process.stderr.strip().splitlines()
    assert line.startswith("pix2seq: There is no folder 'none'. A coco source is a folder with annotations/")


def test_training_data_without_annotations_is_refused(tiny_flags, refused, folder, edit_annotations, tmp_path):
    shutil.copytree(folder, tmp_path / "coco")
    edit_annotations(tmp_path / "coco", "train", lambda document: document.update(annotations=[]))
    data = ["--data.source", f"coco:{tmp_path / 'coco'}"]
    message = refused("train", "--recipe", "digits_demo", *data, "--output", tmp_path / "run", *tiny_flags)
    assert message.startswith("pix2seq: A source for training must have at least one usable object")


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--recipe", "cocoa"], "There is no recipe 'cocoa'. Use one of"),
        (["--recipe"], "There is no recipe ''"),
        ([], "--recipe is required without --resume"),
        (["--recipe", "bccd", "--stepz", "3"], "stepz"),
        (["--recipe", "bccd", "--steps", "many"], "steps"),
        (["--recipe", "bccd", "--steps", "0"], "`steps` must be at least 1"),
        (["--recipe", "bccd", "--augmentation.flip", "3"], "`flip` must be in [0, 1]"),
        (["--recipe", "bccd", "--evaluation.decoding.sampler", "bottom_p"], "`sampler` must be one of"),
        (["--recipe", "bccd", "--objective", "likelihood"], "`objective` must be one of maximum_likelihood"),
        (["--recipe", "bccd", "--seed", "-1"], "`seed` must be between"),
        (["--resume"], "`resume` requires the folder of a run"),
        (["--recipe", "bccd", "--data.source", "zip:x"], "Received: 'zip:x'"),
    ],
)
def test_train_refuses_what_it_cannot_use(refused, tmp_path, flags, message):
    assert message in refused("train", "--output", tmp_path / "run", *flags)


def test_unknown_keys_in_a_recipe_file_are_named(refused, tmp_path):
    (tmp_path / "mine.yaml").write_text("steps: 3\nmodel: {layers: 4}\n")
    assert "layers" in refused("train", "--recipe", tmp_path / "mine.yaml", "--output", tmp_path / "run")


def test_an_unknown_strategy_is_refused(refused, folder, tmp_path):
    flags = ["--data.source", f"coco:{folder}", "--strategy", "both"]
    assert "`strategy` must be one of none, mirrored" in refused(
        "train", "--recipe", "bccd", "--output", tmp_path / "run", *flags
    )


def test_a_run_is_neither_overwritten_nor_resumed_with_another_recipe(refused, trained):
    assert "already holds a run" in refused("train", "--recipe", "bccd", "--output", trained[0])
    assert "another value of steps" in refused("train", "--output", trained[0], "--resume", "--steps", "77")


def test_evaluate_refuses_what_it_cannot_use(refused, trained, tmp_path):
    run, _ = trained
    assert "There is no model 'none'" in refused("evaluate", "--model", "none", "--split", "val")
    assert "'night'" in refused("evaluate", "--model", run, "--split", "night")
    target = tmp_path / "missing" / "scores.json"
    assert "scores.json" in refused("evaluate", "--model", run, "--split", "val", "--json", target)
    for page, words in (
        (tmp_path / "missing" / "report.html", "cannot be written to"),
        (tmp_path / "report.pdf", "`--report` must end in .html or .htm. Received: --report"),
        (tmp_path, "must end in .html"),
    ):  # before anything is opened: there is no such model
        assert words in refused("evaluate", "--model", "none", "--split", "val", "--report", page)
    both = tmp_path / "both.html"
    message = refused("evaluate", "--model", "none", "--split", "val", "--report", both, "--json", both)
    assert "must be two files" in message
    assert "--data is required unless" in refused("evaluate", "--model", run / "best.keras", "--split", "val")
    assert "max_objects" in refused("evaluate", "--model", run, "--split", "val", "--max_objects", "9")
    equal = ("--num_samples", "2", "--sampler", "greedy")
    assert "a sampler that draws" in refused("evaluate", "--model", run, "--split", "val", *equal)


def test_a_damaged_model_is_named(refused, trained, tmp_path):
    damaged = tmp_path / "damaged.keras"
    content = bytearray((trained[0] / "best.keras").read_bytes())
    with zipfile.ZipFile(trained[0] / "best.keras") as archive:
        place = archive.getinfo("model.weights.h5").header_offset + 20_000
    content[place] ^= 0xFF
    damaged.write_bytes(content)
    assert "damaged.keras" in refused("evaluate", "--model", damaged, "--data", "coco:x", "--split", "val")


def test_predict_refuses_what_it_cannot_use(refused, trained, mixed_images, tmp_path):
    run, output = trained[0], tmp_path / "out"
    assert "missing.png" in refused("predict", "--model", run, "missing.png", "--output", output)
    (tmp_path / "file").touch()
    assert "cannot be written" in refused("predict", "--model", run, mixed_images, "--output", tmp_path / "file")
    message = refused("predict", "--model", run, mixed_images / "bad_text.jpg", "--output", output)
    assert message.splitlines()[-1] == "pix2seq: None of the 1 images could be read."


def test_a_full_disk_gives_one_message(refused, trained, monkeypatch, tmp_path):
    import errno
    import os

    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    message = refused("evaluate", "--model", trained[0], "--split", "val", "--json", tmp_path / "scores.json")
    assert "scores.json cannot be written: No space left on device" in message
    monkeypatch.setattr("pix2seq_keras.inference.open_model", full)  # anywhere in the command
    assert "No space left on device" in refused("evaluate", "--model", trained[0], "--split", "val")


def test_an_interruption_ends_with_one_line_and_no_traceback(monkeypatch, capsys, tmp_path):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("pix2seq_keras.inference.open_model", interrupted)
    monkeypatch.setattr("pix2seq_keras.training.train", interrupted)
    assert cli.main(["evaluate", "--model", "m", "--split", "val"]) == 130
    assert capsys.readouterr().err == "pix2seq: stopped.\n"
    assert cli.main(["train", "--recipe", "bccd", "--output", str(tmp_path / "run")]) == 130
    assert "--resume" in capsys.readouterr().err

"""Input that cannot be used ends the command with status 2 and one message, without a traceback."""

import shutil

import pytest

from pix2seq_keras import cli


def test_a_missing_folder_gives_one_line_on_standard_error(refused, tmp_path):
    message = refused("train", "--recipe", "bccd", "--data.source", "coco:none", "--output", tmp_path / "run")
    (line,) = message.strip().splitlines()
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


def test_an_unforeseen_error_gives_one_sentence_and_with_debug_its_traceback(monkeypatch, capsys):
    def broken(*arguments):
        raise ZeroDivisionError("of\nsome " + "length " * 1000)

    monkeypatch.setattr("pix2seq_keras.inference.open_model", broken)
    arguments = ["evaluate", "--model", "m", "--split", "val"]

    assert cli.main(arguments) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("pix2seq: an unexpected error ended the command: ZeroDivisionError: of some length")
    assert len(first) < 400 and "--debug" in second

    for place in (0, 1, len(arguments)):
        assert cli.main([*arguments[:place], "--debug", *arguments[place:]]) == 1
        printed = capsys.readouterr().err
        assert "Traceback" in printed and "in broken" in printed and "pix2seq: an unexpected error" in printed


def test_debug_shows_where_input_was_refused(capsys):
    assert cli.main(["train", "--recipe", "cocoa", "--output", "run", "--debug"]) == 2
    printed = capsys.readouterr().err
    assert "Traceback" in printed and printed.splitlines()[-1].startswith("pix2seq: There is no recipe 'cocoa'")


def test_an_interruption_ends_with_one_line_and_no_traceback(monkeypatch, capsys, tmp_path):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("pix2seq_keras.inference.open_model", interrupted)
    monkeypatch.setattr("pix2seq_keras.training.train", interrupted)
    assert cli.main(["evaluate", "--model", "m", "--split", "val"]) == 130
    assert capsys.readouterr().err == "pix2seq: stopped.\n"
    assert cli.main(["train", "--recipe", "bccd", "--output", str(tmp_path / "run")]) == 130
    assert "--resume" in capsys.readouterr().err

"""What of a run of predict is kept when images cannot be written or the run is stopped, and how it goes on."""

import errno
import json
import os

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras import Categories, cli
from pix2seq_keras.errors import InputError
from pix2seq_keras.inference import predict
from pix2seq_keras.inference.predict import predict_images


class Finder:
    """Detects one object in every image, and remembers how many images it was given."""

    categories = Categories((3, 7), ("a", "b"))

    def __init__(self):
        self.count = 0

    def detect(self, images, batch_size, **options):
        self.count += len(images)
        one = {"boxes": np.array([[0, 0, 1, 0.5]]), "classes": np.array([1]), "scores": np.array([0.9])}
        return {name: np.stack([value] * len(images)) for name, value in one.items()}


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for name in "abcd":
        Image.new("RGB", (40, 20), "black").save(folder / f"{name}.png")
    return folder


def stop_at(monkeypatch, place, error):
    """The drawing of the image at a place of the run raises an error, once."""
    save, calls = predict.save_image, []

    def failing(path, pixels):
        calls.append(path)
        if len(calls) == place:
            raise error
        save(path, pixels)

    monkeypatch.setattr(predict, "save_image", failing)


def command(detector, monkeypatch, *arguments):
    monkeypatch.setattr("pix2seq_keras.inference.open_model", lambda ref: detector)
    return cli.main(["predict", "--model", "m", *map(str, arguments)])


# === Images that cannot be written ===


def test_an_image_that_cannot_be_written_costs_neither_the_json_nor_the_others(images, tmp_path, monkeypatch, capsys):
    output = tmp_path / "out"
    (output / "b.png" / "in_the_way").mkdir(parents=True)

    assert command(Finder(), monkeypatch, images, "--output", output) == 2

    document = json.loads((output / "predictions.json").read_text())
    assert [record["annotated"] for record in document["images"]] == ["a.png", None, "c.png", "d.png"]
    assert len(document["annotations"]) == 4
    printed = capsys.readouterr().out
    assert "1 annotated images could not be written" in printed and "b.png" in printed.splitlines()[-1]
    assert not (output / "predictions.json.part").exists()


def test_a_disk_that_fills_costs_the_annotated_images_only(images, tmp_path, monkeypatch):
    stop_at(monkeypatch, 2, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))

    result, problems = predict_images(Finder(), [images], tmp_path / "out")

    assert [record["annotated"] for record in result["images"]] == ["a.png", None, "c.png", "d.png"]
    assert len(problems) == 1 and "b.png is missing" in problems[0] and "No space left" in problems[0]


def test_a_real_full_disk_leaves_the_json(images, tmp_path, monkeypatch):
    """The kernel limits the size of files: the annotated images are larger than that, the JSON is not."""
    import resource

    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    Image.fromarray(noise).save(images / "c.png")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, limits[1]))
    try:
        status = command(Finder(), monkeypatch, images, "--output", tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    document = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert status == 2
    assert [record["annotated"] for record in document["images"]] == ["a.png", "b.png", None, "d.png"]


@pytest.mark.parametrize("stem", ["x" * 251, "é" * 125, "é" * 125 + "x"])
def test_names_of_255_bytes_are_written_under_names_of_their_own(tmp_path, stem):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (8, 8)).save(tmp_path / folder / f"{stem}.jpg")

    result, problems = predict_images(Finder(), [tmp_path / "one", tmp_path / "two"], tmp_path / "out")

    names = [record["annotated"] for record in result["images"]]
    assert problems == [] and len(set(names)) == 2
    assert {path.name for path in (tmp_path / "out").glob("*.png")} == set(names)


def test_a_json_that_cannot_be_written_leaves_the_journal_to_resume(images, tmp_path, monkeypatch):
    def full(path, values):
        raise InputError(f"{path} cannot be written: No space left on device.")

    with monkeypatch.context() as patch:
        patch.setattr("pix2seq_keras.inference.prediction_file.write_json", full)
        with pytest.raises(InputError, match=r"predictions\.json\.part: --resume goes on with them"):
            predict_images(Finder(), [images], tmp_path / "out")

    finder = Finder()
    result, _ = predict_images(finder, [images], tmp_path / "out", resume=True)
    assert finder.count == 0 and len(result["images"]) == 4


def test_the_journal_is_not_needed(images, tmp_path):
    (tmp_path / "out" / "predictions.json.part").mkdir(parents=True)
    result, problems = predict_images(Finder(), [images], tmp_path / "out")
    assert len(result["images"]) == 4 and problems == []


# === Resuming ===


def test_a_stopped_run_goes_on_to_the_result_of_a_run_that_was_not_stopped(images, tmp_path, monkeypatch, capsys):
    whole, _ = predict_images(Finder(), [images], tmp_path / "whole")
    stop_at(monkeypatch, 3, KeyboardInterrupt())
    assert command(Finder(), monkeypatch, images, "--output", tmp_path / "out", "--batch_size", 1) == 130
    assert "--resume skips" in capsys.readouterr().err
    assert not (tmp_path / "out" / "predictions.json").exists()
    with (tmp_path / "out" / "predictions.json.part").open("a") as file:
        file.write('{"image": {"file_na')  # a line that a power failure cut

    finder = Finder()
    assert command(finder, monkeypatch, images, "--output", tmp_path / "out", "--resume") == 0

    assert finder.count == 2
    assert json.loads((tmp_path / "out" / "predictions.json").read_text()) == whole
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        path.name for path in (tmp_path / "whole").iterdir()
    }


def test_a_finished_run_takes_more_images_and_keeps_the_earlier_ones(images, tmp_path):
    predict_images(Finder(), [images / "b.png", images / "d.png"], tmp_path / "out")
    finder = Finder()

    result, _ = predict_images(finder, [images / "a.png", images / "b.png"], tmp_path / "out", resume=True)

    assert finder.count == 1
    assert [record["annotated"] for record in result["images"]] == ["a.png", "b.png", "d.png"]
    assert [record["id"] for record in result["images"]] == [1, 2, 3]
    assert [record["image_id"] for record in result["annotations"]] == [1, 2, 3]


def test_images_whose_annotated_copy_is_missing_are_done_again(images, tmp_path):
    predict_images(Finder(), [images], tmp_path / "out")
    (tmp_path / "out" / "c.png").unlink()
    finder = Finder()
    result, _ = predict_images(finder, [images], tmp_path / "out", resume=True)
    assert finder.count == 1 and len(result["images"]) == 4 and (tmp_path / "out" / "c.png").exists()


def test_without_resume_everything_is_done_again(images, tmp_path):
    predict_images(Finder(), [images], tmp_path / "out")
    finder = Finder()
    result, _ = predict_images(finder, [images / "a.png"], tmp_path / "out")
    assert finder.count == 1 and len(result["images"]) == 1


def test_another_threshold_or_model_does_not_resume(images, tmp_path):
    predict_images(Finder(), [images], tmp_path / "out")
    with pytest.raises(InputError, match="another value of info"):
        predict_images(Finder(), [images], tmp_path / "out", threshold=0.9, resume=True)
    other = Finder()
    other.categories = Categories((1,), ("x",))
    with pytest.raises(InputError, match="another value of categories"):
        predict_images(other, [images], tmp_path / "out", resume=True)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"images": 3}', "[" * 5000, '{"images": [{"id": 1}], "annotations": [], "info": {}}']
)
@pytest.mark.parametrize("name", ["predictions.json", "predictions.json.part"])
def test_what_predict_did_not_write_is_not_resumed(images, tmp_path, name, text):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text(text + "\n")
    with pytest.raises(InputError, match="predictions"):
        predict_images(Finder(), [images], tmp_path / "out", resume=True)
    assert (tmp_path / "out" / name).read_text() == text + "\n"


# === What must not be overwritten ===


def test_the_json_never_takes_the_place_of_an_image_that_is_read(images, tmp_path, monkeypatch, capsys):
    before = {path: path.read_bytes() for path in images.iterdir()}
    (tmp_path / "link.png").symlink_to(images / "b.png")
    for target in (images / "b.png", images / ".." / "images" / "b.png", tmp_path / "link.png"):
        finder = Finder()
        assert command(finder, monkeypatch, images, "--output", tmp_path / "out", "--json", target) == 2
        assert "would overwrite 1 of the images themselves" in capsys.readouterr().err
        assert finder.count == 0
    assert {path: path.read_bytes() for path in images.iterdir()} == before


def test_the_json_and_an_annotated_image_have_different_names(images, tmp_path):
    result, _ = predict_images(Finder(), [images], tmp_path / "out", tmp_path / "out" / "b.png")
    assert [record["annotated"] for record in result["images"]] == ["a.png", "b_2.png", "c.png", "d.png"]


# === Numbers ===


@pytest.mark.parametrize(
    "flags, rule",
    [
        (["--batch_size", "0"], "`batch_size` must be at least 1"),
        (["--batch-size", "-3"], "`batch_size` must be at least 1"),
        (["--threshold", "-1"], "`threshold` must be between 0 and 1"),
        (["--threshold", "2"], "`threshold` must be between 0 and 1"),
    ],
)
def test_numbers_out_of_range_are_refused_before_the_model_is_loaded(
    images, tmp_path, monkeypatch, capsys, flags, rule
):
    monkeypatch.setattr("pix2seq_keras.inference.open_model", lambda ref: pytest.fail("the model was loaded"))
    assert cli.main(["predict", "--model", "m", str(images), "--output", str(tmp_path / "out"), *flags]) == 2
    assert rule in capsys.readouterr().err
    if "batch" in flags[0]:
        assert cli.main(["evaluate", "--model", "m", "--split", "val", *flags]) == 2
        assert rule in capsys.readouterr().err

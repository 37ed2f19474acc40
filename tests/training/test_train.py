"""Complete runs: their files, repeatability, resuming, and refusals."""

import csv
import dataclasses
import errno
import json
import os
import resource

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras.data import open_source, training_dataset
from pix2seq_keras.decoding import DecodingOptions
from pix2seq_keras.errors import InputError
from pix2seq_keras.inference import open_model
from pix2seq_keras.training import Recipe, train
from pix2seq_keras.training import recipe_files as recipes
from pix2seq_keras.training.building import build_model, build_optimizer
from pix2seq_keras.training.random_states import SeedDropout
from pix2seq_keras.training.recipe import DataRecipe
from pix2seq_keras.training.run_folder import RunFolder
from pix2seq_keras.training.train import _count_images

FILES = {
    "recipe.yaml",
    "metrics.csv",
    "best.keras",
    "last.keras",
    "state.npz",
    "state.previous.npz",
    ".lock",
    "train.log",
    "curves.png",
    "gallery.png",
    "summary.json",
}


def rows_of(run):
    """The rows of metrics.csv without the time they took."""
    with (run / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        del row["seconds"]
    return rows


def weights_of(path):
    return open_model(path).get_weights()


@pytest.fixture(scope="module")
def whole(tiny_recipe, tmp_path_factory):
    """A run that nothing interrupted: its folder and the result of `train`."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    return folder, train(tiny_recipe, folder)


# === The files of a run ===


def test_a_run_writes_all_its_files_and_no_others(whole):
    folder, _ = whole
    assert {path.name for path in folder.iterdir()} == FILES


def test_the_last_steps_are_trained_if_steps_is_not_a_multiple_of_epoch_steps(whole):
    rows = rows_of(whole[0])
    assert [(row["epoch"], row["step"]) for row in rows] == [("1", "3"), ("2", "6"), ("3", "7")]
    assert all(float(row["loss"]) > 0 for row in rows)
    assert all(0 <= float(row["val_AP"]) <= 1 for row in rows)


def test_the_recipe_in_the_run_equals_the_recipe(whole, tiny_recipe):
    assert recipes.load(whole[0] / "recipe.yaml") == tiny_recipe


def test_the_weights_of_a_run_open_as_models(whole, tiny_recipe):
    folder, _ = whole
    for ref in (folder / "best.keras", folder / "last.keras", folder):
        model = open_model(ref)
        assert model.image_size == tiny_recipe.model.image_size
        assert model.categories.names == ("red", "green", "blue")
        assert model.categories.ids == (1, 5, 9)
    np.testing.assert_array_equal(weights_of(folder)[0], weights_of(folder / "best.keras")[0])


def test_curves_and_gallery_are_images_that_are_not_empty(whole):
    for name in ("curves.png", "gallery.png"):
        pixels = np.asarray(Image.open(whole[0] / name))
        assert len(np.unique(pixels.reshape(-1, pixels.shape[-1]), axis=0)) > 10


def test_the_summary_holds_the_last_result(whole):
    folder, result = whole
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["seed"] == 5000 and summary["num_images"] == 2 and summary["num_objects"] == 6
    assert summary["AP"] == result["AP"] and set(summary["per_class"]) == {"red", "green", "blue"}


def test_the_log_names_the_data_and_every_epoch(whole):
    log = (whole[0] / "train.log").read_text()
    assert "5 images to train on (train), 2 to evaluate on (val), 3 classes" in log
    assert all(f"step {step}/7" in log for step in (3, 6, 7))


def test_images_that_are_not_used_are_counted_with_the_reason(rectangles):
    source = open_source(f"coco:{rectangles}", "train")
    count = lambda annotated, **data: _count_images(
        dataclasses.replace(source, annotated=np.array(annotated)), DataRecipe(**data)
    )

    assert count([True] * 5) == "5 images to train on (train)"
    assert count([True, *[False] * 4]) == "1 of 5 images to train on (train; 4 have no objects)"
    assert count([True] * 4 + [False], train_limit=2) == (
        "2 of 5 images to train on (train; 1 has no objects; data.train_limit=2)"
    )


# === Repeating and resuming ===


def losses(recipe, steps, source):
    """The loss of every single step."""
    model = build_model(recipe, source.categories)
    model.compile(build_optimizer(recipe))
    options = (recipe.batch_size, recipe.sequence, recipe.augmentation)
    data = training_dataset(source, model.vocabulary, model.image_size, *options, seed=recipe.seed)
    history = model.fit(
        data, steps_per_epoch=1, epochs=steps, verbose=0, shuffle=False, callbacks=[SeedDropout(recipe.seed)]
    ).history
    return history["loss"]


def test_twelve_steps_twice_with_one_seed_have_identical_losses(tiny_recipe):
    import keras

    source = open_source(tiny_recipe.data.source, "train")
    found = []
    for _ in range(2):
        keras.utils.set_random_seed(tiny_recipe.seed)
        found.append(losses(tiny_recipe, 12, source))
    assert found[0] == found[1]
    assert len(set(found[0])) == 12


@pytest.mark.large
def test_fifty_steps_of_digits_twice_give_identical_losses(tmp_path, monkeypatch):
    monkeypatch.setenv("PIX2SEQ_DATA_DIR", str(tmp_path / "data"))
    recipe = recipes.load(recipes.find("digits_demo"))
    evaluation = dataclasses.replace(recipe.evaluation, max_images=20)
    recipe = dataclasses.replace(recipe, steps=50, epoch_steps=1, batch_size=16, evaluation=evaluation)
    recipe = dataclasses.replace(recipe, evaluation=dataclasses.replace(evaluation, every=50))
    for name in ("one", "other"):
        train(recipe, tmp_path / name)
    one, other = rows_of(tmp_path / "one"), rows_of(tmp_path / "other")
    assert len(one) == 50
    assert one == other


def fail_at(monkeypatch, epoch, error):
    """Lets the saving of the state fail in the middle of its file at the end of an epoch, once."""
    real = np.savez

    def failing(file, **arrays):
        if json.loads(str(arrays["progress"]))["epoch"] == epoch:
            monkeypatch.setattr(np, "savez", real)
            file.write(b"PK half a file")
            raise error
        real(file, **arrays)

    monkeypatch.setattr(np, "savez", failing)


def assert_same_run(one, other):
    assert rows_of(one) == rows_of(other)
    for name in ("last.keras", "best.keras"):
        for a, b in zip(weights_of(one / name), weights_of(other / name), strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_run_that_a_full_disk_stopped_twice_names_the_error_and_resumes_to_the_same_weights(
    whole, tiny_recipe, tmp_path, monkeypatch
):
    """In the first epoch, and again in the second."""
    run = tmp_path / "run"
    for epoch in (1, 2):
        fail_at(monkeypatch, epoch, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))

        with pytest.raises(InputError, match=r"state\.npz cannot be written: No space left on device"):
            train(tiny_recipe if epoch == 1 else None, run, resume=epoch > 1)

        assert not any(path.name.endswith(".tmp") for path in run.iterdir())
        assert (run / "train.log").read_text().count("stopped: InputError") == epoch
        with np.load(run / "state.npz") as state:
            assert json.loads(str(state["progress"]))["epoch"] == epoch - 1

    train(None, run, resume=True)

    assert_same_run(run, whole[0])


def test_resuming_a_finished_run_changes_neither_weights_nor_metrics(whole, tiny_recipe):
    folder, result = whole
    before, rows = weights_of(folder / "last.keras"), rows_of(folder)

    again = train(tiny_recipe, folder, resume=True)

    assert again["AP"] == result["AP"] and again["best_AP"] == result["best_AP"]
    assert rows_of(folder) == rows
    for a, b in zip(before, weights_of(folder / "last.keras"), strict=True):
        np.testing.assert_array_equal(a, b)


# === Refusals ===


def test_a_run_is_not_overwritten(whole, tiny_recipe):
    folder, _ = whole
    before = (folder / "recipe.yaml").read_text()
    with pytest.raises(InputError, match=r"`output` already holds a run.*Give `resume`"):
        train(dataclasses.replace(tiny_recipe, steps=1), folder)
    assert (folder / "recipe.yaml").read_text() == before


def test_resuming_with_another_recipe_is_refused_and_names_the_fields(whole, tiny_recipe):
    evaluation = dataclasses.replace(tiny_recipe.evaluation, decoding=DecodingOptions(sampler="top_p"))
    optimizer = dataclasses.replace(tiny_recipe.optimizer, beta_2=0.9)
    other = dataclasses.replace(tiny_recipe, steps=9, optimizer=optimizer, evaluation=evaluation)
    with pytest.raises(InputError, match=r"another value of optimizer\.beta_2, evaluation\.decoding\.sampler\."):
        train(other, whole[0], resume=True)


def test_a_folder_without_a_run_is_not_resumed(tmp_path):
    with pytest.raises(InputError, match="`resume` requires the folder of a run"):
        train(None, tmp_path / "nothing", resume=True)


def test_a_damaged_state_is_refused(whole, tmp_path):
    import shutil

    for number, damage in enumerate((lambda content: b"", lambda content: content[:-40])):
        run = tmp_path / str(number)
        shutil.copytree(whole[0], run)
        (run / "state.npz").write_bytes(damage((run / "state.npz").read_bytes()))
        (run / "state.previous.npz").unlink()
        with pytest.raises(InputError, match=r"state\.npz does not continue this run"):
            train(None, run, resume=True)


def test_an_output_that_cannot_be_written_is_refused(tiny_recipe, tmp_path):
    (tmp_path / "file").write_text("in the way")
    for output in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(InputError, match="cannot be written"):
            train(tiny_recipe, output)


def test_a_log_that_cannot_be_written_is_refused(tiny_recipe, tmp_path):
    (tmp_path / "train.log").mkdir()
    with pytest.raises(InputError, match=r"train\.log cannot be written"):
        train(tiny_recipe, tmp_path)


def test_objects_of_classes_that_train_lacks_are_refused(write_rectangles, edit_annotations, tiny_recipe, tmp_path):
    folder = write_rectangles(tmp_path / "coco", {"train": 2, "val": 2})
    edit_annotations(folder, "val", lambda document: document["categories"][0].update(name="crimson"))
    data = dataclasses.replace(tiny_recipe.data, source=f"coco:{folder}")
    with pytest.raises(InputError, match=r"no objects of classes .* lacks.*'crimson'.*--classes common"):
        train(dataclasses.replace(tiny_recipe, data=data), tmp_path / "run")


@pytest.mark.usefixtures("eagerly")
@pytest.mark.usefixtures("eagerly")
def test_classes_in_another_order_or_fewer_are_evaluated_by_name(
    write_rectangles, edit_annotations, tiny_recipe, tmp_path
):
    folder = write_rectangles(tmp_path / "coco", {"train": 4, "val": 2})

    def reorder(document):  # red 1, green 5, blue 9 become blue 1, red 2, and no green; and a class that no object has
        document["categories"] = [{"id": 1, "name": "blue"}, {"id": 2, "name": "red"}, {"id": 3, "name": "unused"}]
        objects = [record for record in document["annotations"] if record["category_id"] != 5]
        document["annotations"] = [{**record, "category_id": {9: 1, 1: 2}[record["category_id"]]} for record in objects]

    edit_annotations(folder, "val", reorder)
    data = dataclasses.replace(tiny_recipe.data, source=f"coco:{folder}")
    evaluation = dataclasses.replace(tiny_recipe.evaluation, gallery_images=0)
    recipe = dataclasses.replace(tiny_recipe, steps=1, epoch_steps=1, data=data, evaluation=evaluation)
    result = train(recipe, tmp_path / "run")

    assert list(result["per_class"]) == ["red", "green", "blue"] and result["num_objects"] == 4
    assert result["per_class"]["green"]["AP"] is None and result["per_class"]["red"]["AP"] is not None


@pytest.mark.usefixtures("eagerly")
def test_issues_in_the_data_are_reported_at_the_end_of_the_run(
    write_rectangles, edit_annotations, tiny_recipe, tmp_path
):
    folder = write_rectangles(tmp_path / "coco", {"train": 4, "val": 2})
    edit_annotations(folder, "train", lambda document: document["images"][0].update(file_name="../x.png"))
    image = folder / "train" / "1.png"
    image.write_bytes(image.read_bytes()[:-60])
    evaluation = dataclasses.replace(tiny_recipe.evaluation, gallery_images=0)
    data = dataclasses.replace(tiny_recipe.data, source=f"coco:{folder}")
    recipe = dataclasses.replace(tiny_recipe, steps=2, epoch_steps=2, data=data, evaluation=evaluation)

    train(recipe, tmp_path / "run")

    log = (tmp_path / "run" / "train.log").read_text()
    assert "image outside the folder: 1" in log and "../x.png" in log
    assert "unreadable image: 1" in log and "1.png" in log
    assert not (tmp_path / "run" / "gallery.png").exists()


# === A full disk ===


def test_a_full_disk_leaves_the_earlier_state(whole, tmp_path):
    """The kernel limits the size of files, with the same effect as a full disk."""
    import shutil

    run = RunFolder(tmp_path / "run")
    shutil.copytree(whole[0], run.path)
    before = run.state.read_bytes()
    model = open_model(run.best)
    model.compile(build_optimizer(Recipe()))
    model.optimizer.build(model.trainable_variables)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(InputError, match=r"state\.npz cannot be written: File too large"):
            run.save_state(model, {"epoch": 9, "step": 9, "best": None})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert run.state.read_bytes() == before
    assert {path.name for path in run.path.iterdir()} == FILES

"""`resume` with more steps: a run, finished or not, goes on to the weights of a longer one."""

import dataclasses

import numpy as np
import pytest

from pix2seq_keras import cli
from pix2seq_keras.errors import InputError
from pix2seq_keras.inference import open_model
from pix2seq_keras.training import recipe_files, train
from pix2seq_keras.training.fit_from import whole_epochs
from pix2seq_keras.training.recipe import Recipe


def steps_of(run):
    return [line.split(",")[:2] for line in (run / "metrics.csv").read_text().splitlines()[1:]]


@pytest.mark.parametrize(
    ("epoch", "step", "steps", "expected"),
    [
        (3, 7, 7, 3),  # finished, its last epoch of 3 steps was shorter
        (3, 7, 8, 2),
        (3, 7, 9, 2),
        (3, 7, 100, 2),
        (3, 9, 100, 3),  # finished with a whole epoch
        (2, 7, 100, 2),  # stopped within an epoch
        (2, 6, 7, 2),
        (0, 0, 7, 0),
    ],
)
def test_only_a_short_last_epoch_is_begun_again(epoch, step, steps, expected):
    recipe = Recipe(steps=steps, epoch_steps=3)
    assert whole_epochs({"epoch": epoch, "step": step}, recipe) == expected


@pytest.mark.large
def test_a_finished_run_goes_on_behind_its_short_last_epoch_as_if_it_had_not_ended(tiny_recipe, tmp_path):
    optimizer = dataclasses.replace(tiny_recipe.optimizer, schedule="constant")  # others depend on the length
    evaluation = dataclasses.replace(tiny_recipe.evaluation, every=9, gallery_images=0)
    recipe = dataclasses.replace(tiny_recipe, steps=3, epoch_steps=2, optimizer=optimizer, evaluation=evaluation)
    longer = dataclasses.replace(recipe, steps=5)
    train(recipe, tmp_path / "run")
    assert steps_of(tmp_path / "run") == [["1", "2"], ["2", "3"]]

    train(longer, tmp_path / "run", resume=True)
    train(longer, tmp_path / "whole")

    assert recipe_files.load(tmp_path / "run" / "recipe.yaml") == longer
    assert steps_of(tmp_path / "run") == steps_of(tmp_path / "whole") == [["1", "2"], ["2", "4"], ["3", "5"]]
    one, other = (open_model(tmp_path / name / "last.keras").get_weights() for name in ("run", "whole"))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture
def run(tmp_path):
    """The folder of a run of 100 steps, as far as its recipe matters."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "recipe.yaml").write_text(Recipe(steps=100, seed=7).to_yaml())
    return folder


def test_fewer_steps_and_other_fields_are_refused_and_the_recipe_stays(run):
    before = (run / "recipe.yaml").read_text()
    with pytest.raises(
        InputError, match=r"`steps` .* at least its own: .*/run is trained for 100\. Received: steps=99"
    ):
        train(Recipe(steps=99, seed=7), run, resume=True)
    with pytest.raises(InputError, match=r"but for `steps`\. Received: another value of seed, data\.copies\."):
        data = dataclasses.replace(Recipe().data, copies=2)
        train(Recipe(steps=200, seed=8, data=data), run, resume=True)
    assert (run / "recipe.yaml").read_text() == before


@pytest.mark.parametrize("output", [["--output", "{}"], ["--output={}"], ["--output", "elsewhere", "--output", "{}"]])
def test_flags_given_to_a_resumed_run_change_its_own_recipe(run, monkeypatch, output):
    seen = []
    monkeypatch.setattr("pix2seq_keras.training.train", lambda recipe, output, resume: seen.append((recipe, resume)))
    output = [value.format(run) for value in output]

    assert cli.main(["train", "--resume", *output]) == 0
    assert cli.main(["train", *output, "--steps", "300", "--resume"]) == 0
    assert cli.main(["train", *output, "--resume", "--recipe", str(run / "recipe.yaml"), "--steps=400"]) == 0

    assert seen == [(Recipe(steps=steps, seed=7), True) for steps in (100, 300, 400)]

"""Flags and recipes."""

import pytest

from pix2seq_keras import cli
from pix2seq_keras.training import recipe_files as recipes


@pytest.mark.parametrize("before", [True, False])
def test_flags_override_the_recipe_before_and_after_it(monkeypatch, before, tmp_path):
    seen = []
    monkeypatch.setattr(
        "pix2seq_keras.training.train", lambda recipe, output, resume: seen.append((recipe, output, resume))
    )
    flags, recipe = ["--steps", "7", "--optimizer.clipnorm", "null"], ["--recipe=digits_demo"]
    arguments = [*flags, *recipe] if before else [*recipe, *flags]
    assert cli.main(["train", "--output", "run", *arguments]) == 0
    ((got, output, resume),) = seen
    assert (got.steps, got.optimizer.clipnorm, got.epoch_steps, got.data.source) == (7, None, 100, "digits:64")
    assert (output, resume) == ("run", False)


def test_resume_passes_on_the_given_recipe_or_none(monkeypatch):
    seen = []
    monkeypatch.setattr("pix2seq_keras.training.train", lambda recipe, output, resume: seen.append((recipe, resume)))
    cli.main(["train", "--output", "run", "--resume"])
    cli.main(["train", "--output", "run", "--resume", "--recipe", "digits_demo"])
    assert seen[0] == (None, True)
    assert seen[1] == (recipes.load(recipes.find("digits_demo")), True)

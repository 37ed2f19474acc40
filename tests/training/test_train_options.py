"""Objective, backbone and decoding of a run are those of its recipe."""

import dataclasses

import pytest

from pix2seq_keras.decoding import DecodingOptions
from pix2seq_keras.errors import InputError
from pix2seq_keras.inference import open_model
from pix2seq_keras.training import recipe_files as recipes
from pix2seq_keras.training import train


@pytest.mark.usefixtures("eagerly")
def test_a_run_with_a_backbone_of_keras_cv_and_several_samples_is_saved_and_opened(tiny_recipe, tmp_path):
    # Frozen, because it has hundreds of weights; tests/layers/test_named_backbone.py trains one.
    model = dataclasses.replace(tiny_recipe.model, backbone="csp_darknet_tiny", backbone_freeze=True)
    decoding = DecodingOptions(num_samples=2, flip_test=True)
    evaluation = dataclasses.replace(tiny_recipe.evaluation, every=2, decoding=decoding)
    recipe = dataclasses.replace(
        tiny_recipe, steps=2, model=model, evaluation=evaluation, objective={"name": "maximum_likelihood"}
    )

    train(recipe, tmp_path / "run")

    opened = open_model(tmp_path / "run")
    assert opened.encoder.backbone.model.name.startswith("csp_dark_net")
    assert opened.encoder.grid == (2, 2)  # stride 16
    assert recipes.load(tmp_path / "run" / "recipe.yaml") == recipe


def test_decoding_options_that_do_not_fit_the_model_are_refused_before_the_first_step(tiny_recipe, tmp_path):
    evaluation = dataclasses.replace(tiny_recipe.evaluation, decoding=DecodingOptions(max_objects=5))
    with pytest.raises(InputError, match="`max_objects` must be between 1 and 4"):
        train(dataclasses.replace(tiny_recipe, evaluation=evaluation), tmp_path / "run")
    assert not (tmp_path / "run" / "recipe.yaml").exists()

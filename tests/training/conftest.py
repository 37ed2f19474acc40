"""A recipe that trains in seconds, on a folder of coloured rectangles."""

import dataclasses

import pytest

from pix2seq_keras.data import Augmentation
from pix2seq_keras.decoding import DecodingOptions
from pix2seq_keras.sequences import SequenceOptions
from pix2seq_keras.training import Recipe
from pix2seq_keras.training.recipe import DataRecipe, EvaluationRecipe, ModelRecipe, OptimizerRecipe


@pytest.fixture(scope="session")
def rectangles(write_rectangles, tmp_path_factory):
    return write_rectangles(tmp_path_factory.mktemp("rectangles") / "coco", {"train": 5, "val": 2})


@pytest.fixture(scope="session")
def tiny_recipe(rectangles):
    """Everything random is on: dropout, stochastic depth, augmentation, noise. 7 steps: 2 epochs of 3, and 1."""
    return Recipe(
        steps=7,
        epoch_steps=3,
        batch_size=2,
        seed=5000,
        data=DataRecipe(source=f"coco:{rectangles}"),
        model=ModelRecipe(
            image_size=(32, 32),
            num_bins=32,
            stem_widths=(8, 16),
            encoder_layers=1,
            encoder_dim=16,
            encoder_mlp_dim=32,
            encoder_heads=2,
            decoder_layers=1,
            decoder_dim=16,
            decoder_mlp_dim=32,
            decoder_heads=2,
            dropout=0.2,
            drop_path=0.2,
        ),
        sequence=SequenceOptions(max_objects=4),
        augmentation=Augmentation(color=0.5),
        optimizer=OptimizerRecipe(warmup_steps=2),
        evaluation=EvaluationRecipe(
            every=1, batch_size=2, gallery_images=2, decoding=DecodingOptions(sampler="greedy")
        ),
    )


@pytest.fixture
def plain_recipe(tiny_recipe):
    """The same without dropout and stochastic depth."""
    model = dataclasses.replace(tiny_recipe.model, dropout=0.0, drop_path=0.0)
    return dataclasses.replace(tiny_recipe, model=model)

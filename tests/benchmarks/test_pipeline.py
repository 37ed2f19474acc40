"""The pipeline benchmark: all stages are measured and consistent."""

import dataclasses

import pytest

from pix2seq_keras.benchmarks.pipeline import STAGES, measure_pipeline
from pix2seq_keras.data import Augmentation
from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences import SequenceOptions
from pix2seq_keras.training import Recipe
from pix2seq_keras.training.recipe import DataRecipe, ModelRecipe


@pytest.fixture
def recipe(write_rectangles, tmp_path):
    folder = write_rectangles(tmp_path / "coco", {"train": 5})
    small = {"encoder_layers": 1, "encoder_dim": 8, "encoder_mlp_dim": 8, "encoder_heads": 1}
    small |= {"decoder_layers": 1, "decoder_dim": 8, "decoder_mlp_dim": 8, "decoder_heads": 1}
    return Recipe(
        batch_size=2,
        data=DataRecipe(source=f"coco:{folder}"),
        model=ModelRecipe(image_size=(32, 32), num_bins=16, stem_widths=(4, 8), stem_depth=1, **small),
        sequence=SequenceOptions(max_objects=3),
        augmentation=Augmentation(color=0.5),
    )


@pytest.mark.large
def test_every_stage_is_timed_and_the_slower_part_is_the_limit(recipe):
    result = measure_pipeline(recipe, steps=2, rounds=1, with_model=True)

    for stage in STAGES:
        assert result[f"{stage}_images_s"] > 0 and result[f"{stage}_cpu_ms"] > 0
    total = sum(result[f"{stage}_alone_cpu_ms"] for stage in STAGES)
    assert total == pytest.approx(result["whole_cpu_ms"], rel=0.01)
    slower = "model" if result["model_images_s"] < result["whole_images_s"] else "pipeline"
    assert result["limit"] == slower
    assert result["images"] == 5 and result["image_size"] == [32, 32] and result["batch_size"] == 2


@pytest.mark.parametrize("numbers", [{"steps": 0}, {"rounds": 0}])
def test_numbers_below_one_are_refused(recipe, numbers):
    with pytest.raises(InputError, match="must be at least 1"):
        measure_pipeline(dataclasses.replace(recipe), **numbers)

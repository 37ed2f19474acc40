"""Recipes: YAML files, defaults and refusals."""

import dataclasses
import subprocess
import sys

import pytest

from pix2seq_keras import samplers
from pix2seq_keras.commands import train as train_command
from pix2seq_keras.data import Augmentation
from pix2seq_keras.decoding import DecodingOptions
from pix2seq_keras.errors import InputError
from pix2seq_keras.training import Recipe, recipe_files
from pix2seq_keras.training.recipe import DataRecipe, EvaluationRecipe, ModelRecipe


def test_a_recipe_is_restored_from_its_yaml(tmp_path):
    path = tmp_path / "recipe.yaml"
    one = Recipe(
        steps=3,
        data=DataRecipe(source="coco:häuser", train_limit=2),
        model=ModelRecipe(image_size=(32, 64), stem_widths=(8,), preset="digits_tiny"),
        augmentation=Augmentation(min_scale=1 / 3),
        objective={"name": "maximum_likelihood"},
        evaluation=EvaluationRecipe(
            max_images=1, decoding=DecodingOptions(sampler=samplers.TopK(7), constrained=False, num_samples=2)
        ),
    )
    for written in (one, Recipe()):
        path.write_text(written.to_yaml())
        assert recipe_files.load(path) == written


def test_the_yaml_of_a_recipe_has_every_default():
    text = Recipe().to_yaml()
    for part in dataclasses.fields(Recipe):
        assert f"{part.name}:" in text
    assert "max_images: null" in text and "epsilon: 1.0e-08" in text


@pytest.mark.parametrize("name", recipe_files.names())
def test_every_packaged_recipe_loads_and_opens_with_its_command(name):
    path = recipe_files.find(name)
    loaded = recipe_files.load(path)
    header = [line for line in path.read_text().splitlines() if line.startswith("#")]
    assert loaded.steps >= loaded.epoch_steps
    assert path.read_text().startswith("#")
    assert any(f"pix2seq train --recipe {name} " in line and "--output" in line for line in header)


def test_the_digits_recipes_are_among_the_packaged_ones():
    assert {"digits_demo", "digits_tiny"} <= set(recipe_files.names())


@pytest.mark.parametrize(
    "text, message",
    [
        ("stepz: 3", "stepz"),
        ("model: {layers: 3}", "layers"),
        ("model: 3", "not a recipe"),
        ("steps: many", "not a recipe"),
        ("- a\n- b", "not a recipe"),
        ("", "not a recipe"),
        ("a: [", "not a recipe"),
        ("\x00", "not a recipe"),
        ("steps: 0", "steps=0"),
        ("objective: likelihood", "`objective` must be one of"),
        ("evaluation: {decoding: {sampler: bottom_p}}", "bottom_p"),
        ("evaluation: {decoding: {samples: 2}}", "samples"),
        ("data: {copies: 0}", "copies=0"),
        ("precision: float8", "float8"),
        ("model: {weights: somewhere}", "preset=null"),
    ],
)
def test_a_file_that_is_not_a_recipe_is_refused_with_its_name(tmp_path, text, message):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        recipe_files.load(path)
    assert "mine.yaml is not a recipe" in str(caught.value)


def test_a_recipe_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(InputError, match="no recipe at"):
        recipe_files.load(tmp_path / "none.yaml")
    with pytest.raises(InputError, match=r"no recipe 'cocoa'. Use one of .*digits_tiny"):
        recipe_files.find("cocoa")
    with pytest.raises(InputError, match="not a recipe"):
        recipe_files.load(tmp_path)


@pytest.mark.parametrize(
    "fields",
    [
        {"steps": 0},
        {"epoch_steps": -1},
        {"batch_size": 0},
        {"seed": -1},
        {"seed": 2**31},
        {"data": DataRecipe(train_limit=0)},
        {"data": DataRecipe(cache_size=0)},
        {"data": DataRecipe(cache_gigabytes=-1.0)},
        {"data": DataRecipe(repeat_threshold=float("nan"))},
        {"evaluation": EvaluationRecipe(every=0)},
        {"evaluation": EvaluationRecipe(batch_size=0)},
        {"evaluation": EvaluationRecipe(max_images=0)},
        {"evaluation": EvaluationRecipe(gallery_images=-1)},
        {"objective": "likelihood"},
        {"objective": {"smoothing": 0.1}},
        {"precision": "float8"},
    ],
    ids=str,
)
def test_values_out_of_range_are_refused(fields):
    with pytest.raises(InputError):
        Recipe(**fields)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{every: 2, sampler: greedy, constrained: false}", DecodingOptions(sampler="greedy", constrained=False)),
        ("{every: 2, sampler: top_p}", DecodingOptions()),
        ("{every: 2}", DecodingOptions()),
    ],
)
def test_a_recipe_written_by_version_0_1_0_is_read(tmp_path, text, expected):
    path = tmp_path / "recipe.yaml"
    path.write_text(f"steps: 7\nevaluation: {text}\n")

    loaded = recipe_files.load(path)

    assert (loaded.steps, loaded.evaluation.every, loaded.evaluation.decoding) == (7, 2, expected)
    assert loaded.objective == "maximum_likelihood"


def test_recipes_are_imported_without_heavy_libraries():
    program = """
import sys
from pix2seq_keras.training import recipe_files
recipe_files.load(recipe_files.find("digits_tiny"))
sys.exit(", ".join({"tensorflow", "keras", "numpy"} & set(sys.modules)) or 0)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_objects_that_no_file_can_hold_are_refused():
    with pytest.raises(InputError, match="`objective` of a recipe must be a name or a mapping"):
        Recipe(objective=lambda model, batch, training: None)
    own = DecodingOptions(sampler=lambda logits, uniform: logits)
    with pytest.raises(InputError, match=r"`evaluation\.decoding\.sampler` of a recipe must be a name or a mapping"):
        Recipe(evaluation=EvaluationRecipe(decoding=own))


def test_a_recipe_of_version_0_1_0_becomes_flags(tmp_path):
    path = tmp_path / "old.yaml"
    path.write_text("steps: 3\nevaluation: {every: 2, sampler: greedy, constrained: false}\n")
    (tmp_path / "new.yaml").write_text("steps: 3\n")

    options = train_command.parser().parse_args(
        train_command.expand_arguments(["--recipe", str(path), "--output", "run", "--steps", "5"])
    )

    options.pop("output"), options.pop("resume"), options.pop("recipe")
    translated = Recipe.from_dict(options.as_dict())
    assert translated.steps == 5 and translated.evaluation.every == 2
    assert translated.evaluation.decoding == DecodingOptions(sampler="greedy", constrained=False)
    assert recipe_files.config_text(tmp_path / "new.yaml") == str(tmp_path / "new.yaml")

"""The folder of a run, and its state, which is restored bit for bit."""

import json

import numpy as np
import pytest

from pix2seq_keras import Categories
from pix2seq_keras.errors import InputError
from pix2seq_keras.training.building import build_model, build_optimizer
from pix2seq_keras.training.run_folder import RunFolder
from pix2seq_keras.training.run_state import START

ABC = Categories.from_names(["a", "b", "c"])


def compiled(recipe):
    model = build_model(recipe, ABC)
    model.compile(build_optimizer(recipe))
    model.optimizer.build(model.trainable_variables)
    return model


def state_of(model):
    return [np.array(variable) for variable in [*model.weights, *model.optimizer.variables]]


def test_the_state_is_restored_bit_for_bit_with_the_optimizer(plain_recipe, tmp_path):
    one, other = compiled(plain_recipe), compiled(plain_recipe)
    rng = np.random.default_rng(0)
    for variable in [*one.weights, *one.optimizer.variables]:
        variable.assign(np.asarray(rng.integers(1, 9, variable.shape) + rng.random(variable.shape), variable.dtype))
    run = RunFolder(tmp_path)
    run.save_state(one, {"epoch": 3, "step": 9, "best": 0.125})

    progress, path, problems = run.load_state(other)

    assert progress == {"epoch": 3, "step": 9, "best": 0.125, "seconds": 0.0}
    assert (path, problems) == (run.state, [])
    for a, b in zip(state_of(one), state_of(other), strict=True):
        np.testing.assert_array_equal(a, b)
    assert [path.name for path in tmp_path.iterdir()] == ["state.npz"]


def test_without_a_state_a_run_starts_at_step_0(tmp_path):
    assert START == {"epoch": 0, "step": 0, "best": None, "seconds": 0.0}
    assert RunFolder(tmp_path).load_state(None) == (START, None, [])


def test_the_state_of_another_model_is_refused(plain_recipe, tmp_path):
    import dataclasses

    wider = dataclasses.replace(plain_recipe.model, decoder_dim=32)
    run = RunFolder(tmp_path)
    run.save_state(compiled(dataclasses.replace(plain_recipe, model=wider)), {"epoch": 1})
    with pytest.raises(InputError, match="does not continue this run"):
        run.load_state(compiled(plain_recipe))


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 half"])
def test_a_damaged_state_is_refused(tmp_path, content):
    run = RunFolder(tmp_path)
    run.state.write_bytes(content)
    with pytest.raises(InputError, match=r"state\.npz does not continue this run"):
        run.load_state(None)


def test_a_folder_is_made_with_its_parents_and_empty(tmp_path):
    run = RunFolder(tmp_path / "a" / "b")
    run.create(resume=False)
    assert run.path.is_dir() and list(run.path.iterdir()) == []


def test_a_folder_that_holds_a_run_can_only_be_resumed(tmp_path):
    run = RunFolder(tmp_path)
    run.recipe.write_text(json.dumps({}))
    run.create(resume=True)
    with pytest.raises(InputError, match="already holds a run"):
        run.create(resume=False)


def test_a_folder_without_a_run_is_neither_resumed_nor_made(tmp_path):
    with pytest.raises(InputError, match="`resume` requires the folder of a run"):
        RunFolder(tmp_path / "none").create(resume=True)
    assert not (tmp_path / "none").exists()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file cannot be written: File exists"):
        RunFolder(tmp_path / "file").create(resume=False)

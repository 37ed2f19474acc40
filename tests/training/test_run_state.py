"""States that are damaged, missing or of another run."""

import io
import json
import zipfile

import numpy as np
import pytest

from pix2seq_keras import Categories
from pix2seq_keras.errors import InputError
from pix2seq_keras.training.building import build_model, build_optimizer
from pix2seq_keras.training.run_folder import RunFolder
from pix2seq_keras.training.run_state import START


@pytest.fixture(scope="module")
def model(tiny_recipe):
    model = build_model(tiny_recipe, Categories.from_names(["a", "b", "c"]))
    model.compile(build_optimizer(tiny_recipe))
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.fixture
def run(model, tmp_path):
    """A folder with two states: after epoch 1, and after epoch 2."""
    run = RunFolder(tmp_path)
    for epoch in (1, 2):
        run.save_state(model, {**START, "epoch": epoch, "step": 3 * epoch})
    return run


def rewrite(run, **members):
    """Replaces members of the newest state's archive: bytes, or arrays."""
    with zipfile.ZipFile(run.state) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    for name, value in members.items():
        if not isinstance(value, bytes):
            buffer = io.BytesIO()
            np.save(buffer, value)
            value = buffer.getvalue()
        contents[f"{name}.npy"] = value
    with zipfile.ZipFile(run.state, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


def progress(**values):
    return np.array(json.dumps({**START, **values}))


def flip_a_bit(run):
    content = bytearray(run.state.read_bytes())
    content[len(content) // 2] ^= 1
    run.state.write_bytes(content)


HUGE = (
    b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (10000000000000,), }".ljust(127) + b"\n"
)
DAMAGES = {
    "one bit": flip_a_bit,
    "empty": lambda run: run.state.write_bytes(b""),
    "cut": lambda run: run.state.write_bytes(run.state.read_bytes()[:-100]),
    "text": lambda run: run.state.write_text("weights"),
    "one array": lambda run: np.save(run.state.open("wb"), np.zeros(3)),
    "pickle": lambda run: np.save(run.state.open("wb"), np.array([{}]), allow_pickle=True),
    "80 TB": lambda run: rewrite(run, weight_0=HUGE),
    "other shape": lambda run: rewrite(run, weight_0=np.zeros(5, np.float32)),
    "no dictionary": lambda run: rewrite(run, progress=np.array("[]")),
    "no JSON": lambda run: rewrite(run, progress=np.array("{")),
    "epoch 99": lambda run: rewrite(run, progress=progress(epoch=99, step=6)),
    "epoch -1": lambda run: rewrite(run, progress=progress(epoch=-1, step=6)),
    "step beyond the end": lambda run: rewrite(run, progress=progress(epoch=2, step=600)),
    "step as text": lambda run: rewrite(run, progress=progress(epoch=2, step="6")),
    "infinite AP": lambda run: rewrite(run, progress=progress(epoch=2, step=6, best=float("inf"))),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_state_gives_way_to_the_one_before(run, model, damage):
    DAMAGES[damage](run)
    before = [np.array(weight) for weight in model.weights]
    rng = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(rng.random(weight.shape))

    found, path, problems = run.load_state(model, last_step=7)

    assert (found["epoch"], found["step"], path) == (1, 3, run.previous)
    (problem,) = problems
    assert problem.startswith(f"{run.state} does not continue this run: ") and "\n" not in problem
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_without_a_whole_state_the_run_does_not_begin_again(run, model):
    run.state.write_bytes(b"")
    run.previous.unlink()
    with pytest.raises(InputError, match=r"state\.npz does not continue this run"):
        run.load_state(model)
    run.state.unlink()
    run.best.touch()
    with pytest.raises(InputError, match=r"`resume` requires the state of the run\. .* without state\.npz"):
        run.load_state(model)


def test_a_state_of_version_0_1_0_is_loaded(run, model):
    """It has no sums of metrics, no random states and no seconds, and an epoch is complete."""
    with np.load(run.state) as arrays:
        old = {name: arrays[name] for name in arrays.files if name.startswith(("weight_", "optimizer_"))}
    np.savez(run.state.open("wb"), progress=np.array('{"epoch": 2, "step": 6, "best": 0.5}'), **old)
    assert run.load_state(model, 7) == ({"epoch": 2, "step": 6, "best": 0.5, "seconds": 0.0}, run.state, [])


def test_where_there_are_no_hard_links_the_newest_state_is_kept(run, model, monkeypatch):
    def no_links(*arguments):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("os.link", no_links)
    run.save_state(model, {**START, "epoch": 2, "step": 7})
    assert run.load_state(model)[0]["step"] == 7

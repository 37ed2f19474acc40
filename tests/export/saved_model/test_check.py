"""The programs that check a SavedModel with the C++ loader, and publish it."""

import importlib.util
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from PIL import Image

from pix2seq_keras.errors import InputError

PROGRAMS = Path(__file__).parents[3] / "export" / "saved_model"


def load(name):
    spec = importlib.util.spec_from_file_location(name, PROGRAMS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def check():
    return load("check")


@pytest.fixture(scope="module")
def greedy(build_tiny_model, tmp_path_factory):
    """A SavedModel that decodes greedily, with all signatures."""
    return build_tiny_model(3).export(
        tmp_path_factory.mktemp("check") / "m", sampler="greedy", cross_attention=True, verbose=False
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Three images of one size, as JPEG, PNG and GIF."""
    folder, rng = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    for kind in ("jpg", "png", "gif"):
        Image.fromarray(rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)).save(folder / f"a.{kind}")
    return sorted(folder.iterdir())


def test_the_cpp_loader_without_xla_gives_the_same_outputs_as_python(check, greedy, files):
    graph = check.read_meta_graph(greedy)
    assert set(check.serving_signatures(graph)) == {
        "serving_default",
        "tensor",
        "sample",
        "describe",
        "cross_attention",
    }

    # A low temperature, so that `sample` is greedy too and its tokens must be equal.
    inputs = check.make_inputs([file.read_bytes() for file in files])
    inputs["temperature"] = np.full(3, 1e-3, np.float32)
    difference, notes = check.compare_loaders(greedy, graph, inputs)

    assert difference <= 1e-5
    assert len(notes) == 5 and any("tokens" in note for note in notes)


def test_an_exported_model_is_batched_and_has_no_xla_or_stateful_random_operations(check, greedy):
    graph = check.read_meta_graph(greedy)
    assert check.forbidden_operations(graph) == [] and check.unbatched(graph) == []
    assert "While" in check.operations(graph) and "DecodeJpeg" in check.operations(graph)


def test_the_check_finds_operations_that_the_server_cannot_run(check, tmp_path):
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec([4], tf.float32, name="x")])
    def bad(x):
        return {"y": ops.slice_update(x, [0], x[:1]) + tf.random.uniform([4])}

    tf.saved_model.save(module, str(tmp_path), signatures={"serving_default": bad})
    graph = check.read_meta_graph(tmp_path)
    messages = " ".join(check.forbidden_operations(graph) + check.unbatched(graph))
    assert "XlaDynamicUpdateSlice runs only under XLA" in messages and "RandomUniform draws" in messages
    assert "the first dimension of x is not a batch" in messages


def test_a_difference_between_the_loaders_is_measured(check, greedy, files, monkeypatch):
    graph = check.read_meta_graph(greedy)
    inputs = check.make_inputs([file.read_bytes() for file in files])
    outputs = check.run_cpp_loader(greedy, {"tensor": graph.signature_def["tensor"]}, inputs)
    outputs["tensor/detection_scores"] = outputs["tensor/detection_scores"] + 0.01
    monkeypatch.setattr(check, "serving_signatures", lambda graph: {"tensor": graph.signature_def["tensor"]})
    monkeypatch.setattr(check, "run_cpp_loader", lambda *arguments: outputs)
    assert check.compare_loaders(greedy, graph, inputs)[0] == pytest.approx(0.01, rel=1e-3)


def test_saved_model_cli_runs_a_signature(greedy, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((2, 9, 5, 3), np.uint8))
    command = [str(Path(sys.executable).with_name("saved_model_cli")), "run", "--dir", greedy, "--tag_set", "serve"]
    command += ["--signature_def", "tensor", "--inputs", f"input_tensor={tmp_path}/x.npy", "--outdir", tmp_path]
    subprocess.run(command, capture_output=True, check=True)
    assert np.load(tmp_path / "detection_boxes.npy").shape == (2, 4, 4)


def test_the_export_program_refuses_missing_images_before_it_exports(tmp_path, capsys):
    arguments = ["--model", "digits_tiny", "--output", str(tmp_path / "m"), str(tmp_path / "no.png")]
    assert load("export").main(arguments) == 2
    assert "These images do not exist" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


def test_models_and_images_that_cannot_be_used_are_errors(check, greedy, files, tmp_path, capsys):
    damaged = shutil.copytree(greedy, tmp_path / "damaged")
    (damaged / "saved_model.pb").write_bytes(b"no protocol buffer")
    (tmp_path / "text.png").write_text("text")
    cases = (
        (tmp_path, files[0], "SavedModel"),
        (damaged, files[0], "damaged"),
        (greedy, tmp_path / "no.png", "cannot be read"),
        (greedy, tmp_path / "text.png", "not an image"),
    )
    for folder, image, message in cases:
        assert check.main([str(folder), str(image)]) == 2
        assert message in capsys.readouterr().err


def test_a_version_that_another_export_has_published_is_not_replaced(tmp_path):
    for name in ("new", "2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "saved_model.pb").write_text(name)
    with pytest.raises(InputError, match="cannot be written"):
        load("export").publish(tmp_path / "new", tmp_path / "2")
    assert [path.name for path in (tmp_path / "2").iterdir()] == ["saved_model.pb"]
    assert (tmp_path / "2" / "saved_model.pb").read_text() == "2"


@pytest.mark.large
def test_the_export_program_checks_before_it_publishes(tmp_path, files):
    command = [sys.executable, PROGRAMS / "export.py", "--model", "digits_tiny", "--output", tmp_path / "m", files[0]]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "No problems were found." in run.stdout
    assert [path.name for path in (tmp_path / "m").iterdir()] == ["1"]


@pytest.mark.large
def test_an_export_killed_at_any_moment_leaves_no_incomplete_version(tmp_path):
    command = [sys.executable, "-m", "pix2seq_keras", "export", "--model", "digits_tiny", "--output"]
    start = time.monotonic()
    subprocess.run([*command, tmp_path / "whole"], capture_output=True, check=True)
    duration = time.monotonic() - start
    states = set()
    for moment in np.linspace(0.5, 1.0, 10):
        base = tmp_path / f"{moment:.2f}"
        process = subprocess.Popen([*command, base], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moment * duration)
        process.send_signal(signal.SIGKILL)
        process.wait()
        numbered = [path for path in base.glob("*") if path.name.isdigit()]
        for folder in numbered:  # it exists only if it is complete
            outputs = tf.saved_model.load(str(folder)).signatures["describe"](keys=tf.constant([""]))
            assert b"pix2seq_keras" in outputs["description"].numpy()[0]
            assert (folder / "assets.extra" / "tf_serving_warmup_requests").exists()
        states.add((base.exists() and any(base.iterdir()), bool(numbered)))
    assert (True, False) in states  # at least once it was killed while writing
    shutil.rmtree(tmp_path)

"""`pix2seq export`: what it hands on, and what it refuses before any work."""

import numpy as np
import pytest

from pix2seq_keras import cli, samplers
from pix2seq_keras.inference import open_model


def test_flags_reach_the_exported_model(exported_tiny, tmp_path):
    model, _ = exported_tiny
    model.save(tmp_path / "tiny.keras")
    flags = ["--readings", "4", "--mirror", "true", "--top_p", "0.8", "--max_objects", "3"]
    arguments = ["--model", str(tmp_path / "tiny.keras"), "--output", str(tmp_path / "served"), *flags]

    assert cli.main(["export", *arguments]) == 0

    exported = open_model(tmp_path / "served")
    how = {"readings": 4, "mirror": True, "sampler": samplers.TopP(0.8), "max_objects": 3}
    assert {name: exported.description.options[name] for name in how} == how | {"sampler": repr(how["sampler"])}
    image = np.random.default_rng(1).integers(0, 256, (*model.image_size, 3), np.uint8)
    found, expected = exported.detect(image, **how), model.detect(image, **how)
    np.testing.assert_allclose(found["boxes"], expected["boxes"], atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--version", "0"], "A version is a positive whole number. Received: version=0"),
        (["--output", "x.tflite"], "Add --format tflite"),
        (["--format", "onnx"], "Unknown format: 'onnx'"),
        (["--quantize", "float16"], "--quantize cannot be chosen with --format saved_model"),
        (["--format", "tflite", "--version", "2", "--attend", "true"], "--attend, --version cannot be chosen"),
        (
            ["--format", "tflite", "--readings", "2", "--mirror", "true"],
            "--readings, --mirror cannot be chosen with --format tflite",
        ),
        (["--top_p", "0.8", "--sampler", "greedy"], "--top_p is a number of the sampler top_p"),
        (["--top_p", "1.2"], "p must lie in (0, 1]. Received: p=1.2"),
        (["--format", "tflite", "--output", "x"], "name ends in .tflite"),
        (["--format", "tflite", "--output", "x.tflite", "--quantize", "flaot16"], "none, float16, dynamic"),
    ],
)
def test_options_that_mean_nothing_are_refused_and_nothing_is_written(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["export", "--model", "digits_tiny", "--output", "x", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())

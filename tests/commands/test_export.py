"""`pix2seq export`: the options it passes on, and what it refuses before any work."""

import numpy as np
import pytest

from pix2seq_keras import DecodingOptions, cli
from pix2seq_keras.inference import open_model


def test_flags_reach_the_exported_model(exported_tiny, tmp_path):
    model, _ = exported_tiny
    model.save(tmp_path / "tiny.keras")
    flags = ["--num_samples", "4", "--flip_test", "true", "--sampler", "{name: top_p, p: 0.8}", "--max_objects", "3"]
    arguments = ["--model", str(tmp_path / "tiny.keras"), "--output", str(tmp_path / "served"), *flags]

    assert cli.main(["export", *arguments]) == 0

    options = DecodingOptions(max_objects=3, num_samples=4, flip_test=True, sampler={"name": "top_p", "p": 0.8})
    exported = open_model(tmp_path / "served")
    assert exported.description.options == options.complete(model.max_length)
    image = np.random.default_rng(1).integers(0, 256, (*model.image_size, 3), np.uint8)
    found, expected = exported.detect(image, num_samples=4), model.detect(image, options)
    np.testing.assert_allclose(found["boxes"], expected["boxes"], atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--version", "0"], "`version` must be a positive whole number. Received: version=0"),
        (["--output", "x.tflite"], "Add --format tflite"),
        (["--format", "onnx"], "--format saved_model or tflite). Received: format='onnx'"),
        (["--quantize", "float16"], "`quantize` requires format tflite"),
        (
            ["--format", "tflite", "--version", "2", "--cross_attention", "true"],
            "`cross_attention`, `version` requires format saved_model",
        ),
        (
            ["--format", "tflite", "--num_samples", "2", "--flip_test", "true"],
            "`num_samples` must be 1 in a tflite file. Received: num_samples=2, flip_test=True",
        ),
        (["--sampler", "{name: top_p, p: 1.2}"], "`p` must lie in (0, 1]. Received: p=1.2"),
        (["--format", "tflite", "--output", "x"], "name ends in .tflite"),
        (["--format", "tflite", "--output", "x.tflite", "--quantize", "flaot16"], "none, float16, dynamic"),
    ],
)
def test_options_that_are_not_valid_are_refused_and_nothing_is_written(
    arguments, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["export", "--model", "digits_tiny", "--output", "x", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())

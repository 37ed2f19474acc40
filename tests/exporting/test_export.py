"""The table of export formats, and which parameters belong to which."""

import inspect

import pytest

from pix2seq_keras import DecodingOptions, InputError
from pix2seq_keras.exporting import export as module
from pix2seq_keras.exporting.export import FORMATS, export, find_format
from pix2seq_keras.exporting.tflite import export as tflite
from pix2seq_keras.models import detection


def function_of(one):
    name, function = one.function.split(":")
    return getattr(module.importlib.import_module(name), function)


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.name)
def test_a_format_is_found_by_our_name_and_by_that_of_keras(one):
    assert find_format(one.name) is find_format(one.keras_name) is one


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.name)
def test_the_parameters_of_a_format_are_those_of_its_function(one):
    names = list(inspect.signature(function_of(one)).parameters)

    assert names == ["model", "filepath", "options", "preset", *one.parameters]


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.name)
def test_options_and_parameters_reach_the_function_of_the_format(tiny_model, monkeypatch, one):
    calls = []
    monkeypatch.setattr(module.ExportFormat, "export", lambda *given, **more: calls.append((given, more)) or "written")
    parameters = dict.fromkeys(one.parameters, "value")

    path = export(tiny_model, "folder", one.name, {"seed": 3}, preset="tiny", sampler="greedy", **parameters)

    options = DecodingOptions(sampler="greedy", seed=3).complete(20)
    assert path == "written"
    assert calls == [((one, tiny_model, "folder", options), {"preset": "tiny", **parameters})]


@pytest.mark.parametrize(
    ("format", "parameters", "message"),
    [
        (
            "tflite",
            {"default": "tensor"},
            "`default` requires format saved_model.*Received: format tflite, which takes quantize",
        ),
        ("litert", {"max_pixels": 9, "version": 1}, "`max_pixels`, `version` requires format saved_model"),
        (
            "saved_model",
            {"quantize": "float16"},
            "`quantize` requires format tflite.*Received: format saved_model, which takes default,",
        ),
        ("onnx", {}, r"`format` must be 'tf_saved_model' or 'litert' \(--format saved_model or tflite\).*'onnx'"),
        ("saved_model", {"heat": 2}, "A saved_model is exported with default, .*Received: heat"),
    ],
)
def test_parameters_of_another_format_and_unknown_ones_are_refused(tiny_model, tmp_path, format, parameters, message):
    with pytest.raises(InputError, match=message):
        export(tiny_model, tmp_path / "model", format, **parameters)

    assert not list(tmp_path.iterdir())


class TracedError(Exception):
    """Raised in place of the graph."""


def test_detect_and_tflite_files_are_one_graph(tiny_model, tiny_images, monkeypatch):
    def stop(*arguments, **more):
        raise TracedError

    assert tflite.detect_on_canvases is detection.detect_on_canvases
    for place in (tflite, detection):
        monkeypatch.setattr(place, "detect_on_canvases", stop)
    monkeypatch.setattr(tiny_model, "_functions", {})
    options = DecodingOptions().complete(20)
    signature = tflite.make_signature(tiny_model, options)

    with pytest.raises(TracedError):
        signature.function(tiny_images[:1], [[32, 32]])
    with pytest.raises(TracedError):
        tiny_model.detect(tiny_images[:1], options)

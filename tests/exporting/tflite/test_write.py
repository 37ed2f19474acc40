"""TFLite files: what is in them, and which files are refused."""

import json
import zipfile

import numpy as np
import pytest

# isort: off
from pix2seq_keras.errors import InputError
from pix2seq_keras.exporting.signature import Signature
from pix2seq_keras.exporting.tflite.write import (
    convert,
    operators,
    read_tflite_description,
    require_builtins,
    write_tflite,
)
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

# isort: on

INPUT = (tf.TensorSpec([1, 64], tf.float32, name="x"),)


def _double(x):
    return {"y": tf.matmul(x, tf.eye(64)) * 2.0}


@pytest.fixture(scope="module")
def content():
    """A model that doubles (1, 64)."""
    return convert(Signature(_double, INPUT))


@pytest.fixture
def written(content, tmp_path):
    """The same as a file."""
    path = tmp_path / "double.tflite"
    write_tflite(path, content, {"format": "a test", "names": ["größe"]}, ["one", "two\nlines"])
    return path


def test_a_written_file_runs_and_describes_itself(written):
    runner = Interpreter(str(written)).get_signature_runner("serving_default")

    y = runner(x=np.full((1, 64), 3, np.float32))["y"]

    np.testing.assert_array_equal(y, np.full((1, 64), 6))
    described = json.loads(read_tflite_description(written))
    assert described["format"] == "a test" and described["names"] == ["größe"]


def test_the_description_is_in_a_zip_that_any_zip_reader_opens(written):
    with zipfile.ZipFile(written) as archive:
        assert archive.namelist() == ["pix2seq.json", "labels.txt"]
        assert archive.testzip() is None
        assert archive.read("labels.txt").decode() == "one\ntwo lines\n"
        start = archive.getinfo("pix2seq.json").header_offset
    assert written.read_bytes()[start : start + 4] == b"PK\x03\x04"  # offsets count from the start of the file


def test_equal_models_are_equal_files(written, content, tmp_path):
    again = tmp_path / "again.tflite"

    write_tflite(again, content, {"format": "a test", "names": ["größe"]}, ["one", "two\nlines"])

    assert again.read_bytes() == written.read_bytes()


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused(written, kept):
    written.write_bytes(written.read_bytes()[: int(kept * written.stat().st_size)])

    with pytest.raises(InputError, match="truncated or damaged"):
        read_tflite_description(written)


def test_a_byte_changed_anywhere_in_the_model_is_noticed(written, content):
    for place in (8, len(content) // 2, len(content) - 1):
        damaged = bytearray(written.read_bytes())
        damaged[place] ^= 1
        written.write_bytes(damaged)

        with pytest.raises(InputError, match="damaged"):
            read_tflite_description(written)

        damaged[place] ^= 1
        written.write_bytes(damaged)
    read_tflite_description(written)


def test_files_of_other_programs_are_refused(content, tmp_path):
    bare, other = tmp_path / "bare.tflite", tmp_path / "other.tflite"
    bare.write_bytes(content)
    other.write_bytes(content)
    with zipfile.ZipFile(other, "a") as archive:
        archive.writestr("labels.txt", "cat")

    for path in (bare, other):
        with pytest.raises(InputError, match=r"not a \.tflite file of `pix2seq export`"):
            read_tflite_description(path)


@pytest.mark.parametrize("text", ["[]", "{}", "no JSON", '{"model": {"bytes": "x", "sha256": ""}}', '{"model": 3}'])
def test_descriptions_of_other_programs_are_refused(content, tmp_path, text):
    path = tmp_path / "other.tflite"
    path.write_bytes(content)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("pix2seq.json", text)

    with pytest.raises(InputError, match="has no description"):
        read_tflite_description(path)


def test_a_path_that_cannot_be_written_is_refused(content, tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_tflite(tmp_path / "missing" / "model.tflite", content, {}, [])


def test_a_failure_while_writing_leaves_the_old_file(written, content):
    before = written.read_bytes()

    with pytest.raises(TypeError):
        write_tflite(written, content, {"no JSON": object()}, [])

    assert written.read_bytes() == before
    assert list(written.parent.iterdir()) == [written]


def test_operators_are_called_by_their_names(content):
    assert operators(content) == ["FULLY_CONNECTED"]
    require_builtins(content)


def test_an_operation_that_tflite_lacks_is_named_when_converting():
    def function(x):
        return {"y": tf.bitwise.bitwise_and(tf.cast(x, tf.int32), 7)}

    with pytest.raises(InputError, match="BitwiseAnd"):
        convert(Signature(function, INPUT))


def test_a_file_with_an_operator_of_tensorflow_is_refused():
    function = tf.function(lambda x: tf.bitwise.bitwise_and(tf.cast(x, tf.int32), 7), INPUT)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    flexible = converter.convert()

    with pytest.raises(InputError, match="FlexBitwiseAnd"):
        require_builtins(flexible)

    assert "FlexBitwiseAnd" in operators(flexible)


def test_a_description_that_unpacks_to_more_than_its_bound_or_than_it_states_is_not_read(content, tmp_path):
    path = tmp_path / "large.tflite"
    path.write_bytes(content)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("pix2seq.json", " " * 30_000_000)
    with pytest.raises(InputError, match="is too large: at most 16 MB are read"):
        read_tflite_description(path)

    path.write_bytes(path.read_bytes().replace((30_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little")))
    with pytest.raises(InputError, match=r"large\.tflite"):
        read_tflite_description(path)


@pytest.mark.parametrize("length", [-1, 0, 10**15, 2.5, "12", True, None])
def test_a_length_of_the_model_that_is_not_possible_is_refused(content, tmp_path, length):
    path = tmp_path / "other.tflite"
    path.write_bytes(content)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("pix2seq.json", json.dumps({"model": {"bytes": length, "sha256": ""}}))
    with pytest.raises(InputError, match="has no description"):
        read_tflite_description(path)

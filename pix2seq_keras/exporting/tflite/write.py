"""A `.tflite` file of TFLite's builtin operators only, with its description in a zip behind the model."""

import hashlib
import json
import re
import tempfile
import zipfile
import zlib
from pathlib import Path

import keras
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from pix2seq_keras.atomic_files import atomic_write
from pix2seq_keras.errors import InputError
from pix2seq_keras.exporting.description import FILE_NAME
from pix2seq_keras.exporting.tflite.half_precision import in_half_precision
from pix2seq_keras.exporting.write_errors import write_errors
from pix2seq_keras.untrusted import parse_json, read_member

SIGNATURE = "serving_default"
QUANTIZATIONS = ("none", "float16", "dynamic")
LABELS = "labels.txt"

_NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
_REFUSED = re.compile(r"(?:TF Select|Custom) ops: ([\w, ]+)")


def convert(signature, quantize="none"):
    """Turns a function of the graph into TFLite, with a signature `serving_default`.

    Args:
        signature: `Signature` with inputs of fixed shapes.
        quantize: `"none"`; `"float16"`, weights kept in half precision; or `"dynamic"`, weights kept in 8 bits, which
            matrix products also round their inputs to.

    Returns:
        bytes.

    Raises:
        InputError: if the function needs an operator that TFLite does not have.
    """
    archive = keras.export.ExportArchive()
    # Given functions, the converter silently drops Keras's weights: it is given a SavedModel.
    archive.add_endpoint(SIGNATURE, signature.endpoint())
    with tempfile.TemporaryDirectory() as folder:
        with write_errors(folder):
            archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[SIGNATURE])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if quantize == "dynamic":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        try:
            content = converter.convert()
        except Exception as error:  # the converter's own kinds, or any other that MLIR raises
            refused = sorted({name for found in _REFUSED.findall(str(error)) for name in found.strip(", ").split(", ")})
            if not refused:
                raise
            raise _not_builtin(refused) from error
    content = in_half_precision(content) if quantize == "float16" else content
    require_builtins(content)
    return content


def operators(content):
    """The kinds of operators in a TFLite model.

    Args:
        content: bytes of the model.

    Returns:
        Sorted list of str, such as `"WHILE"`; an operator that is not builtin has its own name, such as `"FlexErf"`.
    """
    codes = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0)).operatorCodes
    # Codes above 127 do not fit the older of the two fields.
    kinds = [(max(code.builtinCode, code.deprecatedBuiltinCode), code.customCode) for code in codes]
    return sorted({custom.decode() if custom else _NAMES[builtin] for builtin, custom in kinds})


def require_builtins(content):
    """Checks that a model needs TFLite's builtin operators only.

    Raises:
        InputError: naming the other operators.
    """
    if others := [name for name in operators(content) if name not in _NAMES.values() or name == "CUSTOM"]:
        raise _not_builtin(others)


def write_tflite(path, content, description, labels):
    """Writes a model, with `pix2seq.json` and `labels.txt` in a zip behind it, where TFLite keeps such files.

    Args:
        path: path of the file.
        content: bytes of the model.
        description: dictionary for JSON; the length and the SHA-256 of the model are added.
        labels: list of str, a line each.

    Raises:
        InputError: if it cannot be written.
    """
    model = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    files = {
        FILE_NAME: json.dumps({**description, "model": model}, ensure_ascii=False) + "\n",
        LABELS: "".join(f"{' '.join(label.split())}\n" for label in labels),
    }
    with atomic_write(path, "wb") as file:
        file.write(content)
        # Opened behind the model, so that offsets in the archive are offsets in the file, as every zip reader expects.
        with zipfile.ZipFile(file, "w") as archive:
            for name, text in files.items():
                archive.writestr(zipfile.ZipInfo(name), text)  # without a date: equal models give equal files


def read_tflite_description(path):
    """The description at the end of a `.tflite` file, after checking that the file is complete.

    Args:
        path: path.

    Returns:
        str, JSON.

    Raises:
        InputError: if `pix2seq export` did not write it, or it is damaged.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            text = read_member(archive, FILE_NAME).decode()
        model = parse_json(text, "its description")["model"]
        length, expected = model["bytes"], model["sha256"]
        if type(length) is not int or not 0 < length <= path.stat().st_size:
            raise ValueError("the model's length is not possible")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(
            f"{path} is not a .tflite file of `pix2seq export`, or it is truncated or damaged: the description at its "
            f"end is missing ({error})."
        ) from error
    except (KeyError, ValueError, TypeError) as error:  # an InputError is a ValueError
        reason = f" ({error})" if isinstance(error, InputError) else ""
        raise InputError(f"{path} is not a .tflite file of `pix2seq export`: it has no description{reason}.") from error
    # The interpreter does not check offsets: a damaged model could crash the process.
    with path.open("rb") as file:
        if hashlib.sha256(file.read(length)).hexdigest() != expected:
            raise InputError(f"{path} is damaged: the check sum of its model is wrong. Export it again.")
    return text


def _not_builtin(names):
    return InputError(
        f"TFLite has no builtin operators for {', '.join(names)}. A custom sampler or layer may need them: use another."
    )

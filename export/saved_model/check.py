"""Checks that TensorFlow Serving can run a SavedModel, without TensorFlow Serving.

    python export/saved_model/check.py FOLDER IMAGE [IMAGE …]

FOLDER is the folder with saved_model.pb. The program runs every signature on the images twice: with Python's loader,
and with the C++ loader in a process without Python TensorFlow and with XLA disabled, as in the server. It compares the
outputs. It also looks for operations that the server cannot run, and for inputs and outputs that its batching does not
support. The exit status is 0 if no problem was found, 1 if there are problems, and 2 if the check was not possible.
"""

import argparse
import base64
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

# isort: off
import pix2seq_keras  # noqa: F401  (first: it silences TensorFlow's log)
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

# isort: on
from pix2seq_keras.data.images.read_image import read_image
from pix2seq_keras.errors import InputError
from pix2seq_keras.inference.exported import sentence_of
from pix2seq_keras.inference.saved_model import read_description

LOADER = Path(__file__).with_name("cpp_loader.py")
TOLERANCE = 1e-5
# Operations that only XLA compiles, which the server disables; and random operations that no seed can repeat.
XLA_ONLY = re.compile("Xla.*")
STATEFUL_RANDOM = re.compile(
    "(RandomUniform|RandomStandardNormal|TruncatedNormal|RandomShuffle|Multinomial|StatefulRandom).*"
)


def main(arguments=None):
    """Runs the program; returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="folder with saved_model.pb")
    parser.add_argument("images", type=Path, nargs="+", help="JPEG, PNG, BMP or GIF files")
    options = parser.parse_args(arguments)
    try:
        return check(options.folder, options.images)
    except InputError as error:
        print(f"check: {error}", file=sys.stderr)
        return 2


def check(folder, images):
    """Checks a SavedModel and prints the result.

    Args:
        folder: path of the folder with saved_model.pb.
        images: list of paths.

    Returns:
        int, 1 if there are problems, else 0.

    Raises:
        InputError: if `folder` has no SavedModel of `pix2seq export`, or the model refuses an image.
    """
    read_description(folder)  # a model of another exporter has other inputs
    graph = read_meta_graph(folder)
    problems = forbidden_operations(graph) + unbatched(graph)
    inputs = make_inputs([read_file(path) for path in images])
    try:
        difference, notes = compare_loaders(folder, graph, inputs)
    except tf.errors.InvalidArgumentError as error:
        raise InputError(f"The model refuses an image: {sentence_of(error.message)}") from error
    for line in notes:
        print(line)
    if difference > TOLERANCE:
        problems.append(f"The two loaders differ by {difference:.2g}.")
    print("\n".join(problems) or "No problems were found.")
    return int(bool(problems))


def read_meta_graph(folder):
    """Reads the graph with the tag `serve` of a SavedModel, without loading the model.

    Args:
        folder: path of the folder with saved_model.pb.

    Returns:
        `MetaGraphDef`.

    Raises:
        InputError: if the file is missing or damaged.
    """
    try:
        model = saved_model_pb2.SavedModel.FromString(read_file(Path(folder) / "saved_model.pb"))
    except DecodeError as error:
        raise InputError(f"{folder} cannot be loaded as a SavedModel: its saved_model.pb is damaged.") from error
    return next(graph for graph in model.meta_graphs if "serve" in graph.meta_info_def.tags)


def read_file(path):
    """Reads a file: bytes. A file that cannot be read is an `InputError`."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error


def operations(graph):
    """The types of all operations, those inside functions included: set of str."""
    nodes = [graph.graph_def.node, *(function.node_def for function in graph.graph_def.library.function)]
    return {node.op for group in nodes for node in group}


def forbidden_operations(graph):
    """Messages about operations that the server cannot run: list of str."""
    types = sorted(operations(graph))
    problems = [f"{name} runs only under XLA." for name in types if XLA_ONLY.fullmatch(name)]
    problems += [
        f"{name} draws random numbers that no seed can repeat." for name in types if STATEFUL_RANDOM.fullmatch(name)
    ]
    nodes = [node for function in graph.graph_def.library.function for node in function.node_def]
    compiled = any(node.attr["_XlaMustCompile"].b for node in nodes) or any(
        function.attr["_XlaMustCompile"].b for function in graph.graph_def.library.function
    )
    return problems + (["A function requires compilation by XLA."] if compiled else [])


def unbatched(graph):
    """Messages about inputs and outputs whose first dimension is not a batch of any size: list of str."""
    return [
        f"{name}: the first dimension of {key} is not a batch: {[dim.size for dim in info.tensor_shape.dim]}"
        for name, signature in serving_signatures(graph).items()
        for key, info in [*signature.inputs.items(), *signature.outputs.items()]
        if not info.tensor_shape.unknown_rank and [dim.size for dim in info.tensor_shape.dim][:1] != [-1]
    ]


def serving_signatures(graph):
    """The signatures that clients can request: dictionary of name to `SignatureDef`."""
    return {name: value for name, value in sorted(graph.signature_def.items()) if not name.startswith("__")}


def make_inputs(encoded):
    """Makes inputs for all signatures of an exported model.

    Args:
        encoded: list of bytes, image files.

    Returns:
        Dictionary of input name to array (B, …). `input_tensor` repeats the first image, as all images of
        one array must have the same size.
    """
    count = len(encoded)
    return {
        "image_bytes": np.array(encoded, object),
        "input_tensor": np.stack([read_image(encoded[0])] * count),
        "seed": np.arange(count, dtype=np.int32),
        "top_p": np.linspace(0.3, 1.0, count, dtype=np.float32),
        "temperature": np.linspace(1.0, 1.5, count, dtype=np.float32),
        "keys": np.array([b""] * count, object),
    }


def compare_loaders(folder, graph, inputs):
    """Runs every signature with both loaders.

    Args:
        folder: path of the folder with saved_model.pb.
        graph: `MetaGraphDef`.
        inputs: dictionary of `make_inputs`.

    Returns:
        float, the largest difference of any number, infinity where strings or integers differ; and a list of str, a
        line about each signature.
    """
    signatures = serving_signatures(graph)
    python, notes, largest = tf.saved_model.load(str(folder)).signatures, [], 0.0
    results = run_cpp_loader(folder, signatures, inputs)
    for name, signature in signatures.items():
        outputs = python[name](**{key: tf.constant(inputs[key]) for key in signature.inputs})
        difference = 0.0
        for key, value in outputs.items():
            of_python, of_cpp = value.numpy(), results[f"{name}/{key}"]
            if of_python.dtype.kind == "f":
                same_shape = of_python.shape == of_cpp.shape
                difference = max(difference, float(np.abs(of_python - of_cpp).max(initial=0)) if same_shape else np.inf)
            elif not np.array_equal(of_python.astype("S") if of_python.dtype == object else of_python, of_cpp):
                difference = np.inf
        notes.append(f"{name}: {', '.join(sorted(outputs))}; largest difference {difference:.2g}")
        largest = max(largest, difference)
    return largest, notes


def run_cpp_loader(folder, signatures, inputs):
    """Runs signatures in a process that uses TensorFlow's C library only, see `cpp_loader.py`.

    Args:
        folder: path of the folder with saved_model.pb.
        signatures: dictionary of name to `SignatureDef`.
        inputs: dictionary of `make_inputs`.

    Returns:
        Dictionary of "signature/output" to array.

    Raises:
        RuntimeError: with the end of the process's error output, if it fails.
    """
    library = Path(tf.__file__).with_name("libtensorflow_cc.so.2")
    plan, arrays = [], {}
    for name, signature in signatures.items():
        feeds = {}
        for key, info in signature.inputs.items():
            if inputs[key].dtype == object:
                feeds[info.name] = [base64.b64encode(text).decode() for text in inputs[key]]
            else:
                feeds[info.name], arrays[key] = key, inputs[key]
        plan.append(
            {"inputs": feeds, "outputs": {info.name: f"{name}/{key}" for key, info in signature.outputs.items()}}
        )
    with tempfile.TemporaryDirectory() as scratch:
        files = [Path(scratch) / name for name in ("plan.json", "inputs.npz", "outputs.npz")]
        files[0].write_text(json.dumps(plan), encoding="utf-8")
        np.savez(files[1], **arrays)
        command = [sys.executable, str(LOADER), str(library), str(folder), *map(str, files)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            raise RuntimeError(f"The C++ loader failed: {run.stderr[-2000:]}")
        with np.load(files[2], allow_pickle=False) as results:
            return dict(results)


if __name__ == "__main__":
    raise SystemExit(main())

"""Checks a SavedModel as near to TensorFlow Serving as can be had without it.

    python export/saved_model/check.py FOLDER IMAGE [IMAGE …]

FOLDER holds saved_model.pb. The images are sent to every signature twice: through Python's loader, and through the
C++ loader in a process without Python TensorFlow, XLA switched off as the server does it. Also looked for are
operations that a server does not run, and signatures that its batching does not take. Ends with status 1 if anything is
wrong, and 2 if nothing could be checked.
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
import pix2seq_keras  # noqa: F401  (first, for it silences TensorFlow)
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
# Compiled only by XLA, which the server switches off; and random numbers with a state, which no seed can repeat.
XLA_ONLY = re.compile("Xla.*")
STATEFUL_RANDOM = re.compile(
    "(RandomUniform|RandomStandardNormal|TruncatedNormal|RandomShuffle|Multinomial|StatefulRandom).*"
)


def main(arguments=None):
    """Runs the program; returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="folder that holds saved_model.pb")
    parser.add_argument("images", type=Path, nargs="+", help="JPEG, PNG, BMP or GIF files")
    options = parser.parse_args(arguments)
    try:
        return check(options.folder, options.images)
    except InputError as error:
        print(f"check: {error}", file=sys.stderr)
        return 2


def check(folder, images):
    """Prints what was found; returns 1 if anything is wrong, else 0.

    Raises:
        InputError: if there is no SavedModel of `pix2seq export`, or an image that the model takes.
    """
    read_description(folder)  # another exporter's takes other inputs
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
    print("\n".join(problems) or "Nothing wrong was found.")
    return int(bool(problems))


def read_meta_graph(folder):
    """The `serve` graph of a SavedModel, without loading it: MetaGraphDef."""
    try:
        model = saved_model_pb2.SavedModel.FromString(read_file(Path(folder) / "saved_model.pb"))
    except DecodeError as error:
        raise InputError(f"{folder} cannot be loaded as a SavedModel: its saved_model.pb is damaged.") from error
    return next(graph for graph in model.meta_graphs if "serve" in graph.meta_info_def.tags)


def read_file(path):
    """Bytes."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error


def operations(graph):
    """Set of str: the kinds of all operations, those inside functions too."""
    nodes = [graph.graph_def.node, *(function.node_def for function in graph.graph_def.library.function)]
    return {node.op for group in nodes for node in group}


def forbidden_operations(graph):
    """List of sentences: what a server would not run."""
    found = sorted(operations(graph))
    problems = [f"{name} runs only under XLA." for name in found if XLA_ONLY.fullmatch(name)]
    problems += [f"{name} draws random numbers from a state." for name in found if STATEFUL_RANDOM.fullmatch(name)]
    nodes = [node for function in graph.graph_def.library.function for node in function.node_def]
    compiled = any(node.attr["_XlaMustCompile"].b for node in nodes) or any(
        function.attr["_XlaMustCompile"].b for function in graph.graph_def.library.function
    )
    return problems + (["A function must be compiled by XLA."] if compiled else [])


def unbatched(graph):
    """List of sentences: inputs and outputs whose first dimension is not open for the batch."""
    return [
        f"{name}: {key} has the shape {[dim.size for dim in info.tensor_shape.dim]}, whose first dimension is no batch."
        for name, signature in serving_signatures(graph).items()
        for key, info in [*signature.inputs.items(), *signature.outputs.items()]
        if not info.tensor_shape.unknown_rank and [dim.size for dim in info.tensor_shape.dim][:1] != [-1]
    ]


def serving_signatures(graph):
    """Name -> SignatureDef, of those that can be asked."""
    return {name: one for name, one in sorted(graph.signature_def.items()) if not name.startswith("__")}


def make_inputs(encoded):
    """Input name -> array (B, …) for the signatures of an exported Pix2Seq; the `tensor` is of the first image."""
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
    """Asks every signature through both loaders.

    Returns:
        The largest difference of any number, infinity where texts or whole numbers differ; and a line for each
        signature.
    """
    signatures = serving_signatures(graph)
    python, notes, largest = tf.saved_model.load(str(folder)).signatures, [], 0.0
    results = ask_cpp_loader(folder, signatures, inputs)
    for name, signature in signatures.items():
        mine = python[name](**{key: tf.constant(inputs[key]) for key in signature.inputs})
        worst = 0.0
        for key, value in mine.items():
            one, other = value.numpy(), results[f"{name}/{key}"]
            if one.dtype.kind == "f":
                same_shape = one.shape == other.shape
                worst = max(worst, float(np.abs(one - other).max(initial=0)) if same_shape else np.inf)
            elif not np.array_equal(one.astype("S") if one.dtype == object else one, other):
                worst = np.inf
        notes.append(f"{name}: {', '.join(sorted(mine))}; largest difference {worst:.2g}")
        largest = max(largest, worst)
    return largest, notes


def ask_cpp_loader(folder, signatures, inputs):
    """Dictionary "signature/output" -> array, from a process that has the C library only.

    Raises:
        RuntimeError: if it fails; the message is what it said.
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

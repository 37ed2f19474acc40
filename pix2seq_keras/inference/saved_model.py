"""A SavedModel of `pix2seq export`, run in this process as a server would run it."""

from pathlib import Path

import tensorflow as tf

from pix2seq_keras.errors import InputError
from pix2seq_keras.exporting.description import FILE_NAME, parse_description
from pix2seq_keras.inference.exported import ExportedDetector, RefusedCallError, sentence_of
from pix2seq_keras.untrusted import read_file

_FILE = "saved_model.pb"


def versions_in(base):
    """The versions of a model that a server would find.

    Args:
        base: path: a folder of versions, or one version's own folder.

    Returns:
        Dictionary of version -> its `Path`, from the lowest to the highest; empty where there is none. A SavedModel
        whose folder is called by no number is version 1.
    """
    base = Path(base)
    if (base / _FILE).is_file():
        name = base.resolve().name
        return {int(name) if _is_number(name) else 1: base}
    found = {int(path.name): path for path in base.glob("*") if _is_number(path.name) and (path / _FILE).is_file()}
    return dict(sorted(found.items()))


def read_description(folder):
    """The description inside a SavedModel.

    Args:
        folder: path of one version.

    Returns:
        `Description`.

    Raises:
        InputError: if `pix2seq export` did not write it.
    """
    path = Path(folder) / "assets" / FILE_NAME
    if not path.is_file():
        raise InputError(f"{folder} is a SavedModel, but not one of `pix2seq export`: it has no assets/{FILE_NAME}.")
    return parse_description(read_file(path, what="A description"), str(folder))


def open_saved_model(path):
    """Opens a SavedModel.

    Args:
        path: its base folder, whose highest version is taken, or the folder of a version.

    Returns:
        `ExportedDetector`.

    Raises:
        InputError: if it is damaged, or not one of `pix2seq export`.
    """
    found = versions_in(path)
    if not found:
        raise InputError(f"{path} holds no SavedModel: neither {_FILE} nor a numbered folder with one.")
    folder = found[max(found)]
    description = read_description(folder)
    model = LoadedModel(folder)
    return ExportedDetector(model.run, description, str(folder), image_signature(model.inputs_of(), str(folder)))


class LoadedModel:
    """A SavedModel's signatures, ready to run.

    Args:
        folder: path of one version.

    Raises:
        InputError: if it cannot be loaded.
    """

    def __init__(self, folder):
        try:
            self._loaded = tf.saved_model.load(str(folder))
            self._signatures = dict(self._loaded.signatures)
        except Exception as error:  # a damaged one can fail anywhere in protobuf, the checkpoint reader or TensorFlow
            raise InputError(f"{folder} cannot be loaded as a SavedModel: {sentence_of(str(error))}") from error

    def inputs_of(self):
        """Dictionary of signature -> the names of its inputs."""
        return {name: sorted(_specs(function)) for name, function in self._signatures.items()}

    def run(self, signature, inputs):
        """Runs a signature.

        Args:
            signature: str.
            inputs: dictionary of name -> array.

        Returns:
            Dictionary of name -> NumPy array.

        Raises:
            RefusedCallError: with the model's sentence, for what it cannot use.
        """
        function = self._signatures[signature]
        dtypes = {name: spec.dtype for name, spec in _specs(function).items()}
        try:
            outputs = function(**{name: tf.constant(values, dtypes[name]) for name, values in inputs.items()})
        except tf.errors.InvalidArgumentError as error:
            raise RefusedCallError(sentence_of(error.message)) from error
        return {name: value.numpy() for name, value in outputs.items()}


def image_signature(inputs_of, where):
    """The signature that takes encoded images: the default one, unless it was exported for tensors.

    Args:
        inputs_of: dictionary of signature -> the names of its inputs.
        where: str, what messages call the model.

    Returns:
        str.

    Raises:
        InputError: if there is none.
    """
    for name in ("serving_default", "image_bytes"):
        if list(inputs_of.get(name, ())) == ["image_bytes"]:
            return name
    raise InputError(
        f"{where} is not a detector of `pix2seq export`: no signature takes image_bytes. It has: "
        f"{', '.join(sorted(name for name in inputs_of if not name.startswith('__'))) or 'none'}."
    )


def _specs(function):
    return function.structured_input_signature[1]


def _is_number(name):
    return name.isascii() and name.isdigit()

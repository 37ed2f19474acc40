"""`Pix2Seq.export`: one table of export formats, and the way to each."""

import dataclasses
import importlib

from pix2seq_keras.decoding.options import DecodingOptions
from pix2seq_keras.errors import InputError


@dataclasses.dataclass(frozen=True)
class ExportFormat:
    """A format that models are exported in.

    Args:
        name: str, the format as `pix2seq export --format` takes it.
        keras_name: str, the format as `Pix2Seq.export(format=…)` takes it, Keras's name for it.
        function: str, `module:name` of the function (model, filepath, options, preset=None, **parameters) that writes
            it and returns its path.
        parameters: tuple of str, the names of the parameters that belong to this format, also as flags.
        single_sample: bool, whether models of several samples cannot be exported in this format.
    """

    name: str
    keras_name: str
    function: str
    parameters: tuple
    single_sample: bool = False

    def check(self, names, options):
        """Checks what a model is to be exported with, before it is opened.

        Args:
            names: iterable of str, parameters that were given.
            options: `DecodingOptions`.

        Raises:
            InputError: if a parameter belongs to another format or to none, or the format has no such options.
        """
        for other in FORMATS:
            if wrong := [name for name in names if name in other.parameters and name not in self.parameters]:
                raise InputError(
                    f"`{'`, `'.join(wrong)}` requires format {other.name} ({other.keras_name}). Received: format "
                    f"{self.name}, which takes {', '.join(self.parameters)} and the decoding options."
                )
        if unknown := [name for name in names if name not in self.parameters]:
            raise InputError(
                f"A {self.name} is exported with {', '.join(self.parameters)}, preset and the decoding options. "
                f"Received: {', '.join(unknown)}."
            )
        if self.single_sample and options.num_samples > 1:
            raise InputError(
                f"`num_samples` must be 1 in a {self.name} file. Received: num_samples={options.num_samples}, "
                f"flip_test={options.flip_test}. Export a SavedModel."
            )

    def export(self, model, filepath, options, **parameters):
        """Writes a model; see `function`."""
        module, name = self.function.split(":")
        return getattr(importlib.import_module(module), name)(model, filepath, options, **parameters)


FORMATS = (
    ExportFormat(
        "saved_model",
        "tf_saved_model",
        "pix2seq_keras.exporting.saved_model.export:export_saved_model",
        ("default", "cross_attention", "max_pixels", "version"),
    ),
    ExportFormat(
        "tflite",
        "litert",
        "pix2seq_keras.exporting.tflite.export:export_tflite",
        ("quantize",),
        single_sample=True,
    ),
)


def export(model, filepath, format="tf_saved_model", options=None, preset=None, **kwargs):
    """Writes a model for inference elsewhere.

    Args:
        model: `Pix2Seq`.
        filepath: path, see `Pix2Seq.export`.
        format: str, the name of a format, ours or Keras's.
        options: `DecodingOptions`, dict of its fields, or None.
        preset: str or None, a name that the file's description mentions.
        **kwargs: fields of `DecodingOptions`, and parameters of the format.

    Returns:
        `pathlib.Path` of what was written.

    Raises:
        InputError: if the format or an option is unknown or not valid, or the file cannot be written.
    """
    chosen = find_format(format)
    fields = {field.name for field in dataclasses.fields(DecodingOptions)}
    parameters = {name: value for name, value in kwargs.items() if name not in fields}
    options = DecodingOptions.resolve(options, **{name: kwargs[name] for name in kwargs if name in fields})
    chosen.check(parameters, options)
    options = options.complete(model.max_length)
    return chosen.export(model, filepath, options, preset=preset, **parameters)


def find_format(name):
    """The `ExportFormat` of a name, ours or Keras's.

    Raises:
        InputError: if there is none.
    """
    for one in FORMATS:
        if name in (one.name, one.keras_name):
            return one
    raise InputError(
        f"`format` must be {' or '.join(repr(one.keras_name) for one in FORMATS)} "
        f"(--format {' or '.join(one.name for one in FORMATS)}). Received: format={name!r}"
    )

"""Presets by name: folders with a configuration and weights, and the published models."""

import difflib
from importlib import resources
from pathlib import Path

from pix2seq_keras.presets import published_models

CONFIG, WEIGHTS, CARD = "config.json", "model.weights.h5", "README.md"


def list_presets():
    """Lists the names that `Pix2Seq.from_preset` takes.

    Returns:
        List of str: the presets whose weights come with the package, then the published models.

    Example:
        >>> list_presets()[:3]
        ['digits_tiny', 'resnet50_640', 'resnet50_1024']
    """
    return packaged_names() + published_models.names()


def packaged_names():
    """Sorted list of str: the presets whose weights come with the package."""
    return sorted(entry.name for entry in _packaged().iterdir() if (entry / CONFIG).is_file())


def exists(preset):
    """Whether `preset` is a name of `list_presets()` or a preset folder."""
    return find(preset) is not None or str(preset) in published_models.names()


def find(preset):
    """The folder of a preset.

    Args:
        preset: str or path, a name of `packaged_names()` or a preset folder.

    Returns:
        `pathlib.Path`, or `None` if there is no such folder, as for published models.
    """
    name = str(preset)
    if name and (_packaged() / name / CONFIG).is_file():
        return _packaged() / name
    # A name means the preset even if the working directory has a folder of that name; ./NAME means the folder.
    if name and name not in published_models.names() and (Path(preset) / CONFIG).is_file():
        return Path(preset)
    return None


def suggest(preset):
    """Sentences for an error about an unknown preset: the most similar name, and all names in short.

    Args:
        preset: str or path, what was received.

    Returns:
        str.
    """
    similar = difflib.get_close_matches(str(preset), list_presets(), n=1)
    presets = "; ".join([*packaged_names(), published_models.summary()])
    return f"{f'Did you mean {similar[0]}? ' if similar else ''}The presets are {presets}."


def _packaged():
    return Path(str(resources.files("pix2seq_keras"))) / "presets"

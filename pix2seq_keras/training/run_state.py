"""The state of a run, from which it continues bit for bit: the newest one and the one before."""

import json
import math
import os
import zipfile
import zlib

import numpy as np

from pix2seq_keras.atomic_files import atomic_write
from pix2seq_keras.errors import InputError
from pix2seq_keras.training.random_states import seed_generators

# The progress of a run before its first step.
START = {"epoch": 0, "step": 0, "best": None, "seconds": 0.0}

_DAMAGE = (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile, zlib.error, NotImplementedError)


def save_state(path, previous, model, progress):
    """Writes all that a resumed run needs to give the same results as an uninterrupted one.

    These are the weights, the variables of the optimizer (with its step, averages and loss scale), the sums behind the
    metrics of the current epoch and the random states of dropout.

    Args:
        path: `pathlib.Path` of the file.
        previous: `pathlib.Path` where the state before is kept, in case the new one is damaged later.
        model: compiled `Pix2Seq`.
        progress: dict of JSON values: the complete epochs, the steps done, the best AP, the seconds of training.

    Raises:
        InputError: if the file cannot be written; the state before is then unchanged.
    """
    arrays = {name: np.asarray(variable) for name, variable in _variables(model).items()}
    with atomic_write(path, "wb") as file:
        np.savez(file, progress=np.array(json.dumps(progress)), **arrays)
        _keep(path, previous)


def load_state(paths, model, last_step=None):
    """Loads the newest state that is whole into a model.

    Args:
        paths: list of `pathlib.Path`, the newest first.
        model: compiled `Pix2Seq`, whose optimizer is built here.
        last_step: int or None, steps of the whole run, to check the progress. Defaults to None.

    Returns:
        `(progress, path, problems)`: the progress given to `save_state`, the file it is from, and a list of str, what
        is wrong with the states that were passed over. They are `START` and None if there is no state.

    Raises:
        InputError: if there are states, but none can be used.
    """
    problems = []
    for path in paths:
        if not path.is_file():
            continue
        try:
            return _load(path, model, last_step), path, problems
        except _DAMAGE as error:
            reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            problems.append(f"{path} does not continue this run: {reason}")
    if problems:
        raise InputError("\n".join(problems))
    return dict(START), None, problems


def restore_epoch(path, model):
    """Restores what `fit` resets when it begins an epoch: sums of metrics and random states.

    Args:
        path: `pathlib.Path` of the state that was loaded.
        model: compiled `Pix2Seq`.
    """
    with np.load(path, allow_pickle=False) as arrays:
        for name, variable in _variables(model).items():
            # Version 0.1.0 saved neither, but only at ends of epochs; a short last one can go on to more steps.
            if name.startswith(("metric_", "random_")) and name in arrays.files:
                variable.assign(arrays[name])


def _variables(model):
    """Name in the file -> variable."""
    groups = {
        "weight": model.weights,
        "optimizer": model.optimizer.variables,
        "metric": [variable for metric in model.metrics for variable in metric.variables],
        "random": [generator.state for generator in seed_generators(model)],
    }
    return {f"{name}_{index}": variable for name, group in groups.items() for index, variable in enumerate(group)}


def _load(path, model, last_step):
    with np.load(path, allow_pickle=False) as arrays:
        if not isinstance(arrays, np.lib.npyio.NpzFile):
            raise ValueError("it is not an archive of arrays")
        progress = _checked_progress(json.loads(str(arrays["progress"])), last_step)
        model.optimizer.build(model.trainable_variables)
        variables = _variables(model)
        for name in variables:
            if name in arrays.files:
                _require_shape(arrays.zip, name, variables[name])
            elif not name.startswith(("metric_", "random_")):  # version 0.1.0 saved at ends of epochs only
                raise KeyError(f"it has no {name}")
        values = {name: arrays[name] for name in variables if name in arrays.files}  # everything, before any change
    for name, value in values.items():
        variables[name].assign(value)
    return progress


def _require_shape(archive, name, variable):
    """Compares the header first: a damaged one may ask for any amount of memory."""
    with archive.open(f"{name}.npy") as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, _ = read(file)
    if tuple(shape) != tuple(variable.shape):
        raise ValueError(f"{name} has the shape {tuple(shape)}, not {tuple(variable.shape)}")


def _checked_progress(progress, last_step):
    if not isinstance(progress, dict):
        raise ValueError(f"its progress is {str(progress)[:50]!r}")
    progress = {**START, **progress}
    epoch, step, best, seconds = (progress[name] for name in START)
    whole = all(type(number) is int and number >= 0 for number in (epoch, step))
    if not whole or epoch > step or (last_step is not None and step > last_step):
        raise ValueError(f"its progress is epoch {str(epoch)[:20]}, step {str(step)[:20]} of {last_step}")
    for name, number in (("best", best), ("seconds", seconds)):
        if number is not None and (type(number) not in (int, float) or not math.isfinite(number)):
            raise ValueError(f"its progress has {name} {str(number)[:20]}")
    return progress


def _keep(path, previous):
    """Makes `previous` a second name of the file at `path`, which a rename then replaces. There is always a state."""
    if not path.is_file():
        return
    temporary = previous.with_name(f".{previous.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        os.link(path, temporary)
    except OSError:  # a file system without hard links: the state before is lost, the newest one is not
        return
    os.replace(temporary, previous)

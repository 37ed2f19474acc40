"""Published checkpoints: load them into a `Pix2Seq`, save them, and read their configuration."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from pix2seq_keras.atomic_files import require_writable_folder
from pix2seq_keras.errors import InputError
from pix2seq_keras.published.checkpoints import Checkpoint, readable
from pix2seq_keras.published.weight_names import published_weights
from pix2seq_keras.untrusted import parse_json, read_file


def load_checkpoint(model, checkpoint_dir):
    """Loads a published checkpoint into a model: every weight exactly once, or none if anything does not fit.

    Args:
        model: `Pix2Seq` of the published architecture.
        checkpoint_dir: path of a folder with an object-based checkpoint {model, global_step, optimizer}, or of the
            checkpoint without its endings.

    Raises:
        InputError: if the checkpoint cannot be read, or its weights are not the model's; the message names the weights
            that are missing, left over (apart from optimizer and step) or of another shape.

    Example:
        >>> model = Pix2Seq.from_preset("vit_b_640", weights=None)
        >>> load_checkpoint(model, "vit_b_640x640")
    """
    checkpoint = Checkpoint(checkpoint_dir)
    weights = published_weights(model)
    keys = [checkpoint.key(weight.path) for weight in weights]
    _check(checkpoint, weights, keys)
    # Read everything before changing anything: damage is found only when data are read. Read twice instead of keeping
    # the values, since the largest models fill the memory.
    for key in keys:
        checkpoint.read(key)
    for weight, key in zip(weights, keys, strict=True):
        weight.variable.assign(checkpoint.read(key).reshape(weight.variable.shape))


def save_checkpoint(model, checkpoint_dir):
    """Saves a model as a checkpoint in the published layout, which the published code can read.

    Args:
        model: `Pix2Seq` of the published architecture.
        checkpoint_dir: path of a folder, made if it is missing.

    Returns:
        `pathlib.Path` of the checkpoint without its endings.

    Raises:
        InputError: if the model has another architecture, or the folder cannot be written or holds a checkpoint.

    Example:
        >>> save_checkpoint(model, "runs/mine/checkpoint")
        PosixPath('runs/mine/checkpoint/ckpt-1')
    """
    weights = published_weights(model)
    require_writable_folder(checkpoint_dir)
    if list(Path(checkpoint_dir).glob("*.index")):
        raise InputError(f"The folder {checkpoint_dir} already holds a checkpoint. Choose another folder.")
    root = tf.Module()
    for weight in weights:
        node = root
        for name in weight.path[:-1]:
            if getattr(node, name, None) is None:
                setattr(node, name, tf.Module())
            node = getattr(node, name)
        setattr(node, weight.path[-1], tf.Variable(np.reshape(weight.variable, weight.shape)))
    # The published decoder also has its own variables under a second name.
    for own, other in (("token_embedding",) * 2, ("seq_pos_emb", "seq_pos_embedding"), ("outp_bias",) * 2):
        setattr(root.model.decoder, f"ar_decoder/{other}", getattr(root.model.decoder, own))
    step = tf.Variable(0, dtype=tf.int64)
    try:
        return Path(tf.train.Checkpoint(model=root.model, global_step=step).save(str(Path(checkpoint_dir) / "ckpt")))
    except tf.errors.OpError as error:
        raise InputError(f"The checkpoint cannot be written to {checkpoint_dir}: {error.message}") from error


def read_config(config):
    """Reads the model's part of a published configuration.

    Args:
        config: dictionary, or path of a JSON file; of a whole training configuration, its part `"model"` is taken.

    Returns:
        Dictionary, see `architecture.model_arguments`.

    Raises:
        InputError: if the file cannot be read, or is no JSON object.

    Example:
        >>> read_config("vit_b_640x640/config.json")["dim_att"]
        768
    """
    if not isinstance(config, dict):
        path = Path(config)
        config = parse_json(read_file(path, what="A configuration"), f"The configuration {path}")
        if not isinstance(config, dict):
            raise InputError(f"The configuration {path} is not a JSON object.")
    if not isinstance(config.get("model"), dict):
        return config
    # A whole training configuration has the number of bins in its task.
    task = config.get("task") or {}
    bins = {"quantization_bins": task["quantization_bins"]} if "quantization_bins" in task else {}
    return {**bins, **config["model"]}


def _check(checkpoint, weights, keys):
    missing, shapes = [], []
    for weight, key in zip(weights, keys, strict=True):
        if key is None:
            missing.append(weight.name)
        elif checkpoint.shape(key) != weight.shape:
            shapes.append(f"{weight.name} is {checkpoint.shape(key)}, the model's {weight.shape}")
    left_over = sorted(readable(key) for key in checkpoint.keys("model") - set(keys))
    problems = [
        f"{len(found)} {what}: {_shortened(found)}"
        for what, found in (("missing", missing), ("left over", left_over), ("of another shape", shapes))
        if found
    ]
    if problems:
        raise InputError(
            f"The checkpoint {checkpoint.prefix} does not fit the model, which was not changed. Of its weights are "
            + ". ".join(problems)
            + ". Use the configuration that the checkpoint was trained with."
        )


def _shortened(found, shown=8):
    return "; ".join(found[:shown]) + (f"; and {len(found) - shown} more" if len(found) > shown else "")

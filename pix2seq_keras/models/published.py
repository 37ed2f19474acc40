"""Models from published checkpoints, and back."""

from pathlib import Path

from pix2seq_keras.models.pix2seq import Pix2Seq
from pix2seq_keras.published.architecture import model_arguments
from pix2seq_keras.published.checkpoint_io import load_checkpoint, read_config, save_checkpoint

__all__ = ["from_checkpoint", "load_checkpoint", "save_checkpoint"]
CONFIG = "config.json"


def from_checkpoint(checkpoint_dir, config=None, categories=None):
    """Builds the model of a published checkpoint.

    Args:
        checkpoint_dir: path of the folder with the checkpoint, see `load_checkpoint`.
        config: dictionary, or path of a JSON file, with the keys of a published model configuration, see
            `pix2seq_keras.published.architecture.model_arguments`; a whole training configuration with a part
            `"model"` may be given too. `None` means `config.json` in `checkpoint_dir`.
        categories: `Categories` or `None`: class i has the label slot `categories.ids[i]`; `None` gives every slot but
            0 a class.

    Returns:
        `Pix2Seq`.

    Raises:
        InputError: if the configuration or the checkpoint cannot be read, or they do not fit each other.

    Example:
        >>> model = from_checkpoint("vit_b_640x640", config="vit_b_640x640/config.json")
        >>> model.detect("image.jpg", constrained=False)
    """
    config = read_config(Path(checkpoint_dir) / CONFIG if config is None else config)
    model = Pix2Seq(**model_arguments(config, categories))
    load_checkpoint(model, checkpoint_dir)
    return model

"""`pix2seq convert`."""

import json
import time
from pathlib import Path

from pix2seq_keras.atomic_files import require_writable_folder
from pix2seq_keras.errors import InputError
from pix2seq_keras.presets import published_models as published_presets


def convert(
    checkpoint: str, output: str, preset: str | None = None, config: str | None = None, categories: str | None = None
):
    """Turn a published checkpoint into a .keras file.

    Args:
        checkpoint: folder with the checkpoint (checkpoint, NAME.index, NAME.data-…), or its path without the ending
        output: .keras file to write
        preset: published model that the checkpoint is of, such as vit_b_640
        config: JSON file with the checkpoint's model configuration, instead of a preset
        categories: with --config, the classes it was trained on: coco, objects365, or an annotation file in COCO format
    """
    target = Path(output)
    if (preset is None) == (config is None):
        raise InputError("Say what the checkpoint is of: either --preset NAME or --config FILE.")
    if categories is not None and preset is not None:
        raise InputError("A preset knows its categories: --categories goes with --config.")
    if target.suffix != ".keras" or target.is_dir():
        raise InputError(f"The output must be a file ending in .keras. Received: --output {output}")

    from pix2seq_keras.models import Pix2Seq
    from pix2seq_keras.models.saving import save_model
    from pix2seq_keras.published import checkpoint_io as published
    from pix2seq_keras.published.checkpoints import Checkpoint

    Checkpoint(checkpoint)  # a mistyped path is told before a large model is built
    require_writable_folder(target.parent)
    start = time.monotonic()
    if preset is not None:
        model = Pix2Seq.from_preset(preset, weights=None)
        published.load_checkpoint(model, checkpoint)
    else:
        model = published.from_checkpoint(checkpoint, config, _categories(categories))
    save_model(model, target)
    seconds = time.monotonic() - start
    print(f"{len(model.weights)} weights, {model.count_params():,} parameters: {target} ({seconds:.0f} s)")


def _categories(name):
    """`Categories` of a published data set, or of an annotation file in COCO format; `None` for `None`."""
    if name is None:
        return None
    if name in ("coco", "objects365"):
        return published_presets.categories(name)
    try:
        document = json.loads(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{name} is neither coco nor objects365 nor a JSON file that can be read: {error}") from error

    from pix2seq_keras.categories import Categories

    return Categories.from_coco(document.get("categories") if isinstance(document, dict) else None)

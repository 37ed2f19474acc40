"""`pix2seq convert`."""

import time
from pathlib import Path

from pix2seq_keras.atomic_files import require_writable_folder
from pix2seq_keras.errors import InputError
from pix2seq_keras.presets import published_models
from pix2seq_keras.terminal import say
from pix2seq_keras.untrusted import MEGABYTE, parse_json, read_file


def convert(
    checkpoint: str, output: str, preset: str | None = None, config: str | None = None, categories: str | None = None
) -> None:
    """Turn a published checkpoint into a .keras file.

    Args:
        checkpoint: folder of the checkpoint (checkpoint, NAME.index, NAME.data-…), or its path without the ending
        output: .keras file to write
        preset: published model that the checkpoint is of, such as vit_b_640
        config: JSON file with the checkpoint's model configuration, instead of a preset
        categories: with --config, the classes it was trained on: coco, objects365, or an annotation file in COCO format
    """
    target = Path(output)
    if (preset is None) == (config is None):
        received = "neither" if preset is None else "both"
        raise InputError(
            f"--preset NAME or --config FILE must say which model the checkpoint is of. Received: {received}."
        )
    if categories is not None and preset is not None:
        raise InputError(
            f"--categories requires --config: a preset has categories. Received: --preset {preset} --categories "
            f"{categories}"
        )
    if target.suffix != ".keras" or target.is_dir():
        raise InputError(f"--output must be a file ending in .keras. Received: --output {output}")

    from pix2seq_keras.models import Pix2Seq
    from pix2seq_keras.models.published import from_checkpoint, load_checkpoint
    from pix2seq_keras.models.saving import save_model
    from pix2seq_keras.published.checkpoints import Checkpoint

    Checkpoint(checkpoint)  # report a wrong path before building a large model
    require_writable_folder(target.parent)
    start = time.monotonic()
    if preset is not None:
        model = Pix2Seq.from_preset(preset, weights=None)
        load_checkpoint(model, checkpoint)
    else:
        model = from_checkpoint(checkpoint, config, _categories(categories))
    save_model(model, target)
    seconds = time.monotonic() - start
    say(f"{len(model.weights)} weights, {model.count_params():,} parameters: {target} ({seconds:.0f} s)")


def _categories(name):
    """`Categories` of a published data set, or of an annotation file in COCO format; `None` for `None`."""
    if name is None:
        return None
    if name in ("coco", "objects365"):
        return published_models.categories(name)
    try:
        document = parse_json(read_file(Path(name), 1024 * MEGABYTE), name, strict=False)
    except InputError as error:
        raise InputError(
            "--categories must be coco, objects365 or an annotation file in COCO format. Received: --categories "
            f"{name}, which cannot be read as JSON: {error}"
        ) from error

    from pix2seq_keras.categories import Categories

    return Categories.from_coco(document.get("categories") if isinstance(document, dict) else None)

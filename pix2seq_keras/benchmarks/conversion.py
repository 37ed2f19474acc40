"""Time and memory that the conversion of a full-size published checkpoint takes."""

import tempfile
from pathlib import Path

from pix2seq_keras.benchmarks.processes import run_measured
from pix2seq_keras.presets import published_models

WRITE = """
import sys
from pix2seq_keras import Pix2Seq
from pix2seq_keras.models.published import save_checkpoint
import keras
keras.utils.set_random_seed(0)
save_checkpoint(Pix2Seq.from_preset(sys.argv[1], weights=None), sys.argv[2])
"""


def measure_conversion(preset="vit_b_640"):
    """Writes a checkpoint with random weights in the published layout and converts it with `pix2seq convert`.

    Args:
        preset: str, the name of a published model, `"vit_b_640"` by default.

    Returns:
        Dictionary: seconds and peak memory in MB of the converting process (in all, and without the pages of program
        libraries), also as multiples of the checkpoint's size; and those of a process that only imports what the
        conversion needs.

    Raises:
        InputError: if there is no such preset, or one of the processes fails.

    Example:
        >>> measure_conversion("resnet50_640")["convert_s"]
        7.31
    """
    published_models.get(preset)  # refuses an unknown name before the work begins
    with tempfile.TemporaryDirectory() as folder:
        checkpoint, output = Path(folder) / "checkpoint", Path(folder) / "model.keras"
        run_measured("-c", WRITE, preset, checkpoint)
        imported = run_measured("-c", "import pix2seq_keras.models.published")
        command = ("-m", "pix2seq_keras", "convert", "--preset", preset)
        converted = run_measured(*command, "--checkpoint", checkpoint, "--output", output)
        checkpoint_mb = sum(path.stat().st_size for path in checkpoint.iterdir()) / 2**20
        return {
            "preset": preset,
            "checkpoint_mb": round(checkpoint_mb, 1),
            "output_mb": round(output.stat().st_size / 2**20, 1),
            "convert_s": round(converted.seconds, 2),
            "convert_peak_mb": round(converted.peak_mb, 1),
            "convert_peak_own_mb": round(converted.peak_own_mb, 1),
            "convert_peak_over_checkpoint": round(converted.peak_mb / checkpoint_mb, 2),
            "convert_peak_own_over_checkpoint": round(converted.peak_own_mb / checkpoint_mb, 2),
            "import_s": round(imported.seconds, 2),
            "import_peak_mb": round(imported.peak_mb, 1),
            "import_peak_own_mb": round(imported.peak_own_mb, 1),
        }

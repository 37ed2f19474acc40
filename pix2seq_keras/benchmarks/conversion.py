"""How long converting a full-size published checkpoint takes, and how much memory."""

import tempfile
from pathlib import Path

from pix2seq_keras.benchmarks.processes import run_measured
from pix2seq_keras.presets import published_models as published_presets

WRITE = """
import sys
from pix2seq_keras import Pix2Seq
from pix2seq_keras.published import checkpoint_io as published
import keras
keras.utils.set_random_seed(0)
published.save_checkpoint(Pix2Seq.from_preset(sys.argv[1], weights=None), sys.argv[2])
"""


def measure_conversion(preset="vit_b_640"):
    """Writes a checkpoint with random weights in the published layout and converts it as `pix2seq convert` does.

    Args:
        preset: str, a published model.

    Raises:
        InputError: if there is no such preset, or one of the processes fails.

    Returns:
        Dictionary: seconds and peak memory of the converting process, in all and its own, also as a multiple of the
        checkpoint's size, and beside them those of a process that only imports the package.
    """
    published_presets.get(preset)  # its error is a sentence
    with tempfile.TemporaryDirectory() as folder:
        checkpoint, output = Path(folder) / "checkpoint", Path(folder) / "model.keras"
        run_measured("-c", WRITE, preset, checkpoint)
        imported = run_measured("-c", "import pix2seq_keras.cli")
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

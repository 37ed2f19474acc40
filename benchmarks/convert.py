"""How long converting a full-size checkpoint takes, and how much memory.

    python benchmarks/convert.py --preset vit_b_640 [--json FILE]

Writes a checkpoint with random weights in the published layout, converts it with `pix2seq convert` in a process of its
own, and reports seconds and that process's peak memory, also as a multiple of the checkpoint's size. What a process
needs that only imports the package is reported beside it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WRITE = """
import sys
from pix2seq_keras import Pix2Seq
from pix2seq_keras.models import published
import keras
keras.utils.set_random_seed(0)
published.save_checkpoint(Pix2Seq.from_preset(sys.argv[1], weights=None), sys.argv[2])
"""


def measured(*arguments):
    """Runs Python with arguments: (seconds, peak memory in MB)."""
    # RUSAGE_CHILDREN keeps the largest child so far, so each command is measured by a parent of its own.
    parent = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
        "print('peak', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    start = time.monotonic()
    run = subprocess.run(
        [sys.executable, "-c", parent, sys.executable, *map(str, arguments)], check=True, capture_output=True, text=True
    )
    seconds = time.monotonic() - start
    unit = 1024 if sys.platform != "darwin" else 1024**2  # ru_maxrss is in KB, on macOS in bytes
    return seconds, int(run.stdout.rsplit("peak", 1)[1]) / unit


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="vit_b_640")
    parser.add_argument("--json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "checkpoint"
        subprocess.run([sys.executable, "-c", WRITE, options.preset, checkpoint], check=True)
        checkpoint_mb = sum(path.stat().st_size for path in checkpoint.iterdir()) / 1024**2
        import_s, import_mb = measured("-c", "import pix2seq_keras.cli")
        output = Path(folder) / "model.keras"
        convert_s, convert_mb = measured(
            *("-m", "pix2seq_keras", "convert", "--preset", options.preset),
            *("--checkpoint", checkpoint, "--output", output),
        )
        result = {
            "preset": options.preset,
            "checkpoint_mb": round(checkpoint_mb, 1),
            "output_mb": round(output.stat().st_size / 1024**2, 1),
            "convert_s": round(convert_s, 2),
            "convert_peak_mb": round(convert_mb, 1),
            "convert_peak_over_checkpoint": round(convert_mb / checkpoint_mb, 2),
            "import_s": round(import_s, 2),
            "import_peak_mb": round(import_mb, 1),
        }
    print(json.dumps(result, indent=1))
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()

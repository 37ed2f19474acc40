"""Exports a model as a SavedModel with all signatures, and checks it: `pix2seq export` and `check.py` in one program.

    python export/saved_model/export.py --model REF --output FOLDER [--default tensor] IMAGE [IMAGE …]

FOLDER becomes, or is, the folder of the model's versions that TensorFlow Serving watches. The new version is written
under a hidden name first and gets its number only if the checks found nothing wrong.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # check.py, from wherever this is run
import check

from pix2seq_keras.errors import InputError
from pix2seq_keras.exporting import version_folder
from pix2seq_keras.inference import open_model


def main(arguments=None):
    """Runs the program; returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True, help="preset, run folder, preset folder or .keras file")
    parser.add_argument("--output", type=Path, required=True, help="folder of the model's versions")
    parser.add_argument("--default", choices=["image_bytes", "tensor"], default="image_bytes")
    parser.add_argument("--max-objects", type=int, help="objects to read out of an image")
    parser.add_argument("images", nargs="+", type=Path, help="JPEG, PNG, BMP or GIF files to check it with")
    options = parser.parse_args(arguments)
    try:
        missing = [str(path) for path in options.images if not path.is_file()]
        if missing:
            raise InputError(f"There is no image {', '.join(missing)}.")
        target = version_folder(options.output)
        options.output.mkdir(parents=True, exist_ok=True)
        # Hidden names are no versions to a server.
        with tempfile.TemporaryDirectory(prefix=".export-", dir=options.output) as scratch:
            how = {"max_objects": options.max_objects, "default": options.default, "attend": True}
            folder = open_model(options.model).export(Path(scratch) / "model", verbose=False, **how)
            if check.check(folder, options.images):
                return 1
            publish(folder, target)
    except InputError as error:
        print(f"export: {error}", file=sys.stderr)
        return 2
    print(target)
    return 0


def publish(folder, target):
    """Gives a version its number, unless another export had it first: a rename replaces no folder with content."""
    try:
        folder.rename(target)
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error.strerror or error}. Start again.") from error


if __name__ == "__main__":
    raise SystemExit(main())

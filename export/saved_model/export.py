"""Exports a model as a SavedModel with all signatures, checks it, and only then publishes it.

    python export/saved_model/export.py --model REF --output FOLDER [--default tensor] IMAGE [IMAGE …]

FOLDER is the folder of the model's versions, which TensorFlow Serving watches. The new version is written under a
hidden name. It gets its number only if `check.py` finds no problems.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # of check.py
import check

from pix2seq_keras.errors import InputError
from pix2seq_keras.exporting.saved_model.write import version_folder
from pix2seq_keras.inference import open_model


def main(arguments=None):
    """Runs the program; returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True, help="preset, run folder, preset folder or .keras file")
    parser.add_argument("--output", type=Path, required=True, help="folder of the model's versions")
    parser.add_argument("--default", choices=["image_bytes", "tensor"], default="image_bytes")
    parser.add_argument("--max-objects", type=int, help="objects to generate per image")
    parser.add_argument("images", nargs="+", type=Path, help="JPEG, PNG, BMP or GIF files for the checks")
    options = parser.parse_args(arguments)
    try:
        missing = [str(path) for path in options.images if not path.is_file()]
        if missing:
            raise InputError(f"These images do not exist: {', '.join(missing)}.")
        target = version_folder(options.output)
        options.output.mkdir(parents=True, exist_ok=True)
        # The server ignores folders whose names are not numbers.
        with tempfile.TemporaryDirectory(prefix=".export-", dir=options.output) as scratch:
            folder = open_model(options.model).export(
                Path(scratch) / "model",
                max_objects=options.max_objects,
                default=options.default,
                cross_attention=True,
                verbose=False,
            )
            if check.check(folder, options.images):
                return 1
            publish(folder, target)
    except InputError as error:
        print(f"export: {error}", file=sys.stderr)
        return 2
    print(target)
    return 0


def publish(folder, target):
    """Renames a checked version to its number.

    Args:
        folder: `Path` of the new version.
        target: `Path`, where the server looks for it.

    Raises:
        InputError: if another export has written that version in the meantime. It is not replaced: a folder with
            content cannot be the target of a rename.
    """
    try:
        folder.rename(target)
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error.strerror or error}. Run the export again.") from error


if __name__ == "__main__":
    raise SystemExit(main())

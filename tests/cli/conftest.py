"""The command as a user types it, and what the tests of it share."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras import cli

TINY = """\
--model.image_size [32,32] --model.stem_widths [8,16] --model.num_bins 32 --sequence.max_objects 4
 --model.encoder_dim 16 --model.encoder_heads 2 --model.encoder_mlp_dim 32 --model.encoder_layers 1
 --model.decoder_dim 16 --model.decoder_heads 2 --model.decoder_mlp_dim 32 --model.decoder_layers 1
 --batch_size 2 --evaluation.batch_size 2 --evaluation.decoding.sampler greedy --evaluation.gallery_images 2""".split()  # noqa: SIM905


@pytest.fixture(scope="session")
def pix2seq():
    """Runs the command in a process of its own, and checks its status and that it prints no traceback."""

    def run(*arguments, status=0):
        command = [sys.executable, "-m", "pix2seq_keras", *map(str, arguments)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "Traceback" not in run.stderr, run.stderr
        assert run.returncode == status, run.stderr
        return run

    return run


@pytest.fixture(scope="session")
def tiny_flags():
    """Flags of a model that trains in a second."""
    return TINY


@pytest.fixture(scope="session")
def folder(write_rectangles, edit_annotations, tmp_path_factory):
    """A COCO folder of rectangles. One training image has a path outside the folder, another is truncated."""
    folder = write_rectangles(tmp_path_factory.mktemp("cli") / "coco", {"train": 5, "val": 3})
    edit_annotations(folder, "train", lambda document: document["images"][0].update(file_name="../x.png"))
    image = folder / "train" / "1.png"
    image.write_bytes(image.read_bytes()[:-60])
    return folder


@pytest.fixture(scope="session")
def trained(pix2seq, folder):
    """A run of four steps, and the process that trained it."""
    run = folder.parent / "run"
    data = ["--data.source", f"coco:{folder}"]
    return run, pix2seq(
        "train", "--steps", 4, "--recipe", "digits_demo", *data, "--output", run, "--epoch_steps", 4, *TINY
    )


@pytest.fixture
def refused(capsys):
    """Runs the command in this process, checks that it ends with status 2, and returns its standard error."""

    def run(*arguments):
        try:
            status = cli.main([str(argument) for argument in arguments])
        except SystemExit as stop:
            status = stop.code
        captured = capsys.readouterr()
        assert status == 2, captured.err
        assert "Traceback" not in captured.err and captured.err.strip()
        return captured.err

    return run


@pytest.fixture
def mixed_images(tmp_path):
    """A folder with an image of every kind, named by its kind. Those whose name begins with `bad_` cannot be read."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    rng = np.random.default_rng(0)
    colours = Image.fromarray(rng.integers(0, 256, (30, 40, 3), np.uint8))
    colours.save(folder / "rgb.png")
    colours.convert("L").save(folder / "grey.png")
    colours.convert("P").save(folder / "palette.png")
    colours.convert("RGBA").save(folder / "alpha.png")
    Image.fromarray(rng.integers(0, 65536, (30, 40), np.uint16)).save(folder / "sixteen.png")
    colours.convert("CMYK").save(folder / "cmyk.jpg")
    exif = Image.Exif()
    exif[0x0112] = 6
    colours.save(folder / "turned.jpg", exif=exif)
    colours.save(folder / "bad_cut.jpg")
    (folder / "bad_cut.jpg").write_bytes((folder / "bad_cut.jpg").read_bytes()[:-300])
    (folder / "bad_text.jpg").write_text("This is no image.")
    (folder / "bad_empty.png").touch()
    return folder

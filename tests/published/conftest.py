"""Checkpoints and numbers of the published implementation, and models made from them."""

import shutil

import numpy as np
import pytest

from pix2seq_keras import Pix2Seq
from pix2seq_keras.models.published import from_checkpoint
from pix2seq_keras.published.architecture import model_arguments
from pix2seq_keras.published.checkpoint_io import read_config


@pytest.fixture(scope="session")
def reference(shared_dir):
    """A function name -> (folder, golden numbers, the converted model)."""
    opened = {}

    def get(name):
        if name not in opened:
            folder = shared_dir / "reference" / name
            opened[name] = folder, dict(np.load(folder / "golden.npz")), from_checkpoint(folder)
        return opened[name]

    return get


@pytest.fixture
def vit(reference, tmp_path):
    """A copy of the smallest reference's folder, to be damaged, and its configuration."""
    folder = tmp_path / "vit"
    shutil.copytree(reference("vit")[0], folder, copy_function=shutil.copyfile)
    folder.chmod(0o755)
    return folder


@pytest.fixture
def fresh(reference):
    """A model of the smallest reference's configuration, its weights random."""
    return Pix2Seq(**model_arguments(read_config(reference("vit")[0] / "config.json")))

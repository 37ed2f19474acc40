"""Shared data and tiny things that several tests use."""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_dir():
    """The folder with reference numbers and real pictures, beside the checkout or where PIX2SEQ_SHARED says."""
    folder = Path(os.environ.get("PIX2SEQ_SHARED", REPOSITORY.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder}: set PIX2SEQ_SHARED to run this test")
    return folder


@pytest.fixture(scope="session")
def bccd_dir(shared_dir):
    """BCCD blood cells in COCO layout: annotations/instances_{train,val,test}.json beside train/, val/, test/."""
    folder = shared_dir / "data" / "bccd"
    if not folder.is_dir():
        pytest.skip(f"no BCCD pictures at {folder}")
    return folder

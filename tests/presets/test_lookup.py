"""Presets by name, and preset folders."""

import subprocess
import sys

import pytest

from pix2seq_keras import InputError, Pix2Seq, presets
from pix2seq_keras.presets import lookup, published_models


@pytest.fixture
def two_packaged(monkeypatch, tmp_path):
    """A package with the presets heron and pelican."""
    for name in ("pelican", "heron", "no preset"):
        (tmp_path / name).mkdir()
    for name in ("pelican", "heron"):
        (tmp_path / name / "config.json").write_text("{}")
    monkeypatch.setattr(lookup, "_packaged", lambda: tmp_path)
    return tmp_path


def test_presets_of_the_package_come_before_the_published_models(two_packaged):
    assert presets.list_presets() == ["heron", "pelican", *published_models.names()]


@pytest.mark.parametrize("unknown", ["stork", "", "no preset"])
def test_an_unknown_preset_is_refused_with_the_names(two_packaged, unknown):
    unknown = two_packaged / unknown if unknown == "no preset" else unknown

    assert not presets.exists(unknown)
    with pytest.raises(InputError, match=r"There is no preset .*heron; pelican; .* Or give a preset folder"):
        Pix2Seq.from_preset(unknown)


def test_a_misspelt_name_is_answered_with_the_most_similar_one():
    with pytest.raises(InputError, match=r"There is no preset 'vit-b_640'\. Did you mean vit_b_640\? ") as refusal:
        Pix2Seq.from_preset("vit-b_640")
    assert len(str(refusal.value)) < 400


def test_a_name_means_the_preset_even_if_a_folder_of_that_name_exists(tmp_path, monkeypatch):
    (tmp_path / "vit_b_640").mkdir()
    (tmp_path / "vit_b_640" / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)

    assert presets.find("vit_b_640") is None
    assert presets.find(tmp_path / "vit_b_640") == tmp_path / "vit_b_640"


def test_names_are_listed_without_importing_keras_or_tensorflow():
    """The command's help needs the names."""
    check = (
        "import sys; from pix2seq_keras import presets; from pix2seq_keras.presets import published_models;"
        "assert 'vit_b_640' in presets.list_presets() and published_models.get('vit_b_640').ap == 44.2;"
        "print(*{'tensorflow', 'keras', 'numpy', 'h5py'} & set(sys.modules))"
    )

    run = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == ""

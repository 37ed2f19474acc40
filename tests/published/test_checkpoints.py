"""The place of a published checkpoint, and the places where one can be saved."""

import shutil

import pytest

from pix2seq_keras import InputError
from pix2seq_keras.models import published
from pix2seq_keras.published.checkpoints import Checkpoint


def test_of_several_checkpoints_the_one_in_the_state_file_is_used(vit, reference):
    for ending in ("index", "data-00000-of-00001"):
        shutil.copyfile(vit / f"ckpt-0.{ending}", vit / f"ckpt-7.{ending}")
    assert published.from_checkpoint(vit).count_params() == reference("vit")[2].count_params()

    # The state file of a checkpoint that was copied from elsewhere names a folder that does not exist here.
    (vit / "checkpoint").write_text('model_checkpoint_path: "gs://bucket/run/ckpt-7"\n')
    assert Checkpoint(vit).prefix.name == "ckpt-7"

    (vit / "checkpoint").unlink()
    with pytest.raises(InputError, match=r"several checkpoints \(ckpt-0, ckpt-7\)"):
        published.from_checkpoint(vit)
    assert Checkpoint(vit / "ckpt-0").prefix.name == "ckpt-0"


def test_a_checkpoint_is_found_from_within_its_folder(vit, fresh, monkeypatch):
    monkeypatch.chdir(vit)

    published.load_checkpoint(fresh, ".")

    assert Checkpoint("ckpt-0").prefix.name == "ckpt-0"


def test_a_checkpoint_is_not_saved_beside_another(vit, fresh):
    with pytest.raises(InputError, match="already holds a checkpoint"):
        published.save_checkpoint(fresh, vit)


def test_another_architecture_has_no_published_layout(tiny_model, tmp_path):
    with pytest.raises(InputError, match=r"a ViT or a ResNet as encoder\. Received: a model with ResidualStem"):
        published.save_checkpoint(tiny_model, tmp_path)


def test_an_unwritable_folder_is_reported(fresh, tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(InputError, match="cannot be written"):
        published.save_checkpoint(fresh, tmp_path / "file")

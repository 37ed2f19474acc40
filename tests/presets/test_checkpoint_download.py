"""The three files of a published checkpoint, from a server at this machine."""

import io

import pytest
from rich.console import Console

from pix2seq_keras import InputError
from pix2seq_keras.presets.checkpoint_download import BUCKET_URL, URL_VARIABLE, download_checkpoint

SOURCE = "gs://pix2seq/coco_det_finetune/vit_b_640x640"
INDEX, DATA = b"index" * 1000, b"data" * 100_000
FOLDER = "/bucket/coco_det_finetune/vit_b_640x640"


@pytest.fixture
def bucket(web, monkeypatch):
    """A server with a checkpoint, in place of the public bucket."""
    web.files = {
        f"{FOLDER}/checkpoint": b'model_checkpoint_path: "gs://elsewhere/run.5/ckpt-112725"\n'
        b'all_model_checkpoint_paths: "gs://elsewhere/run.5/ckpt-7"\n',
        f"{FOLDER}/ckpt-112725.index": INDEX,
        f"{FOLDER}/ckpt-112725.data-00000-of-00001": DATA,
    }
    monkeypatch.setenv(URL_VARIABLE, f"{web.address}/bucket/")
    return web


def fetch(folder, **options):
    return download_checkpoint(SOURCE, folder, console=Console(file=io.StringIO()), **options)


def test_the_state_file_names_the_files_that_are_downloaded(bucket, tmp_path):
    prefix = fetch(tmp_path / "new")

    assert prefix == tmp_path / "new" / "ckpt-112725"
    assert prefix.with_name("ckpt-112725.index").read_bytes() == INDEX
    assert prefix.with_name("ckpt-112725.data-00000-of-00001").read_bytes() == DATA
    assert [path for path, _ in bucket.requests] == list(bucket.files)


def test_the_address_may_be_an_argument(bucket, tmp_path, monkeypatch):
    monkeypatch.setenv(URL_VARIABLE, "http://127.0.0.1:1")

    assert fetch(tmp_path, base_url=f"{bucket.address}/bucket").name == "ckpt-112725"


def test_the_default_address_is_the_public_one_of_the_bucket(monkeypatch, tmp_path):
    requested = []

    def refuse(url, *_):
        requested.append(url)
        raise InputError("offline")

    monkeypatch.delenv(URL_VARIABLE)
    monkeypatch.setattr("pix2seq_keras.presets.checkpoint_download.download", refuse)

    with pytest.raises(InputError, match="offline"):
        fetch(tmp_path)
    assert requested == ["https://storage.googleapis.com/pix2seq/coco_det_finetune/vit_b_640x640/checkpoint"]
    assert requested[0].startswith(BUCKET_URL)


def test_a_broken_download_is_resumed_and_complete_files_are_not_requested_again(bucket, tmp_path):
    bucket.breaks_after = 300_000
    with pytest.raises(InputError, match=r"data-00000-of-00001 broke off after 300,000 of 400,000 bytes"):
        fetch(tmp_path)
    bucket.breaks_after, bucket.requests[:] = 0, []

    prefix = fetch(tmp_path)

    assert prefix.with_name("ckpt-112725.data-00000-of-00001").read_bytes() == DATA
    assert bucket.requests == [(f"{FOLDER}/ckpt-112725.data-00000-of-00001", "bytes=300000-")]


def test_a_missing_file_is_reported(bucket, tmp_path):
    del bucket.files[f"{FOLDER}/ckpt-112725.index"]

    with pytest.raises(InputError, match=r"ckpt-112725\.index cannot be fetched: the server answers 404"):
        fetch(tmp_path)


@pytest.mark.parametrize("page", [b"<html>Sign in</html>", b"", b'model_checkpoint_path: ""', b"\xff\xfe"])
def test_a_page_in_place_of_the_state_file_is_reported_and_not_kept(bucket, tmp_path, page):
    state = bucket.files[f"{FOLDER}/checkpoint"]
    bucket.files[f"{FOLDER}/checkpoint"] = page

    with pytest.raises(InputError, match=r"/checkpoint names no checkpoint"):
        fetch(tmp_path)
    bucket.files[f"{FOLDER}/checkpoint"] = state
    assert fetch(tmp_path).name == "ckpt-112725"

"""Published weights in one call: downloaded, converted once into the cache, and refused with a way out."""

import dataclasses
import json
import threading

import numpy as np
import pytest

from pix2seq_keras import InputError, Pix2Seq
from pix2seq_keras.models import preset_loading
from pix2seq_keras.models.published import from_checkpoint
from pix2seq_keras.presets import published_models
from pix2seq_keras.presets.checkpoint_download import URL_VARIABLE

FOLDER = "/coco_det_finetune/vit_b_640x640"
DATA = f"{FOLDER}/ckpt-0.data-00000-of-00001"


@pytest.fixture
def vit(shared_dir):
    """The folder of a small checkpoint of the published implementation."""
    return shared_dir / "reference" / "vit"


@pytest.fixture
def cache(tmp_path, monkeypatch, vit):
    """An empty cache; `vit_b_640` has the size of the small checkpoint."""
    config = json.loads((vit / "config.json").read_text())
    get = published_models.get
    monkeypatch.setattr(published_models, "get", lambda name: dataclasses.replace(get(name), config=config))
    monkeypatch.setenv("PIX2SEQ_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def bucket(web, monkeypatch, vit):
    """A server with the small checkpoint under the public bucket's paths."""
    names = ("checkpoint", "ckpt-0.index", "ckpt-0.data-00000-of-00001")
    web.files = {f"{FOLDER}/{name}": (vit / name).read_bytes() for name in names}
    monkeypatch.setenv(URL_VARIABLE, web.address)
    return web


def visible(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def refusal():
    with pytest.raises(InputError) as error:
        Pix2Seq.from_preset("vit_b_640")
    return str(error.value)


def test_one_call_gives_the_published_logits_and_the_next_needs_no_server(cache, bucket, vit):
    golden = np.load(vit / "golden.npz")
    inputs = {"images": golden["image"], "tokens": golden["input_seq"]}
    expected = np.asarray(from_checkpoint(vit)(inputs))

    first = Pix2Seq.from_preset("vit_b_640")
    requests = len(bucket.requests)
    second = Pix2Seq.from_preset("vit_b_640")

    np.testing.assert_array_equal(first(inputs), expected)
    np.testing.assert_array_equal(second(inputs), expected)
    np.testing.assert_allclose(expected, golden["logits"], rtol=0, atol=1e-4)
    assert first.categories == published_models.categories("coco")
    assert requests == len(bucket.requests) == 3
    assert visible(cache) == ["vit_b_640.weights.h5"]  # the downloaded checkpoint was removed


def test_other_classes_and_another_canvas_can_be_asked_for_at_once(cache, bucket):
    model = Pix2Seq.from_preset("vit_b_640", num_classes=3, image_size=(32, 48))
    plain = Pix2Seq.from_preset("vit_b_640")

    assert model.image_size == (32, 48) and model.vocabulary.num_classes == 3
    for one, other in zip(model.weights, plain.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(bucket.requests) == 3


def test_an_interrupted_download_is_resumed(cache, bucket):
    bucket.breaks_after = 500_000
    message = refusal()
    bucket.breaks_after = 0

    Pix2Seq.from_preset("vit_b_640")

    assert message.startswith("The weights of vit_b_640 cannot be downloaded. The download of http://127.0.0.1:")
    assert "broke off after 500,000 of 1,104,255 bytes. Run it again to resume it." in message
    assert bucket.requests[-1] == (DATA, "bytes=500000-")
    assert len(bucket.requests) == 4 and visible(cache) == ["vit_b_640.weights.h5"]


def test_without_a_server_the_error_says_what_to_do(cache, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv(URL_VARIABLE, "http://127.0.0.1:1")

    assert refusal() == (
        f"The weights of vit_b_640 cannot be downloaded. http://127.0.0.1:1{FOLDER}/checkpoint cannot be reached: "
        "Connection refused. Check the address and the network.\n"
        "Run this again with an internet connection: the weights are then downloaded and converted once, into "
        f"{cache}. Or fetch and convert them by hand:\n"
        "  gsutil -m cp -r gs://pix2seq/coco_det_finetune/vit_b_640x640 .\n"
        f"  pix2seq convert --preset vit_b_640 --checkpoint vit_b_640x640 --output {cache}/vit_b_640.keras\n"
        "Or pass `weights=PATH` or `weights=URL` for other weights, or `weights=None` for random ones."
    )


def test_a_missing_file_is_reported(cache, bucket):
    del bucket.files[DATA]

    assert "data-00000-of-00001 cannot be fetched: the server answers 404 Not Found.\nRun this again" in refusal()
    assert not list(cache.glob("*.h5"))


@pytest.mark.parametrize("damage", [lambda data: data[:1000], lambda data: data[:-1000] + bytes(1000)])
def test_a_damaged_checkpoint_is_removed_and_nothing_is_cached(cache, bucket, damage):
    whole = bucket.files[DATA]
    bucket.files[DATA] = damage(whole)

    message = refusal()

    assert message.startswith(
        "The weights of vit_b_640 cannot be converted, and the downloaded checkpoint was removed. The "
    )
    assert "cannot be read" in message and visible(cache) == []
    bucket.files[DATA] = whole
    Pix2Seq.from_preset("vit_b_640")  # nothing of the damaged files is left


def test_a_checkpoint_of_another_model_is_refused(cache, bucket, monkeypatch):
    get = published_models.get
    deeper = lambda name: dataclasses.replace(get(name), config={**get(name).config, "num_decoder_layers": 3})
    monkeypatch.setattr(published_models, "get", deeper)

    assert "does not fit the model" in refusal()
    assert visible(cache) == []


def test_an_interrupted_conversion_leaves_no_cached_file_and_goes_on_without_the_server(cache, bucket, monkeypatch):
    def fail(model, path, *args, **kwargs):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Pix2Seq, "save_weights", fail)
        message = refusal()

    assert "vit_b_640.weights.h5 cannot be written: No space left on device" in message
    assert visible(cache) == ["vit_b_640.checkpoint"]
    Pix2Seq.from_preset("vit_b_640")
    assert len(bucket.requests) == 3 and visible(cache) == ["vit_b_640.weights.h5"]


def test_callers_at_the_same_time_download_and_convert_once(cache, bucket):
    models = []
    threads = [threading.Thread(target=lambda: models.append(Pix2Seq.from_preset("vit_b_640"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(models) == 3 and len(bucket.requests) == 3
    for weights in zip(*(model.weights for model in models), strict=True):
        np.testing.assert_array_equal(weights[0], weights[1])
        np.testing.assert_array_equal(weights[0], weights[2])


def test_a_cache_that_cannot_be_written_is_reported_before_anything_is_requested(cache, bucket):
    cache.write_text("a file")

    message = refusal()

    assert "cannot be written" in message and message.endswith("PIX2SEQ_CACHE_DIR sets the folder.")
    assert bucket.requests == []


def test_a_cached_file_is_used_even_if_the_cache_cannot_be_written(cache, bucket, monkeypatch):
    expected = Pix2Seq.from_preset("vit_b_640")

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(preset_loading, "file_lock", refuse)

    model = Pix2Seq.from_preset("vit_b_640")

    for one, other in zip(model.weights, expected.weights, strict=True):
        np.testing.assert_array_equal(one, other)

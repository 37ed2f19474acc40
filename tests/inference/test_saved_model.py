"""SavedModel folders: versions, files of other exporters, and the same detections in process and on a server."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras import InputError, samplers
from pix2seq_keras.inference import open_model
from pix2seq_keras.inference.saved_model import image_signature, versions_in
from pix2seq_keras.serving import ModelServer


def score(detector):
    return detector.detect(np.full((8, 8, 3), 255, np.uint8))["scores"][0, 0]


def test_a_base_folder_opens_its_highest_version_by_number_and_a_version_itself(served_toy):
    assert score(open_model(served_toy)) == 1.0  # 12, although "3" sorts after it
    assert score(open_model(served_toy / "3")) == 0.5


def test_folders_that_no_server_would_load_are_not_versions(served_toy, tmp_path):
    for name in ("13", "latest", "-4", "٣", ".14-abc"):
        (tmp_path / name).mkdir()
    for name in ("latest", "-4", "٣", ".14-abc"):
        (tmp_path / name / "saved_model.pb").touch()
    assert versions_in(tmp_path) == {}
    shutil.copytree(served_toy / "3", tmp_path / "007")
    assert versions_in(tmp_path) == {7: tmp_path / "007"}
    shutil.copytree(served_toy / "3", tmp_path / "copy")
    assert versions_in(tmp_path / "copy") == {1: tmp_path / "copy"}


def test_a_saved_model_of_another_exporter_is_refused(tmp_path):
    module = tf.Module()
    module.double = tf.function(lambda x: 2 * x, input_signature=[tf.TensorSpec([None], tf.float32)])
    tf.saved_model.save(module, str(tmp_path / "1"), signatures=module.double)
    with pytest.raises(InputError, match="not one of `pix2seq export`"):
        open_model(tmp_path)


def test_a_damaged_saved_model_is_refused_with_its_path(served_toy, tmp_path):
    for place, damage in (
        ("saved_model.pb", lambda path: path.write_bytes(path.read_bytes()[:2000])),
        ("variables/variables.index", lambda path: path.unlink()),
        ("variables/variables.data-00000-of-00001", lambda path: path.write_bytes(b"")),
        ("assets/pix2seq.json", lambda path: path.write_text("{")),
    ):
        folder = tmp_path / place.split("/")[-1] / "1"
        shutil.copytree(served_toy / "12", folder)
        damage(folder / place)
        with pytest.raises(InputError, match=str(folder)):
            open_model(folder)


def test_encoded_images_go_to_the_default_signature_unless_it_takes_tensors():
    tensors = ["input_tensor"]
    assert image_signature({"serving_default": ["image_bytes"], "tensor": tensors}, "it") == "serving_default"
    assert image_signature({"serving_default": tensors, "image_bytes": ["image_bytes"]}, "it") == "image_bytes"
    with pytest.raises(InputError, match=r"it is not a detector of `pix2seq export`.*It has: tensor"):
        image_signature({"tensor": tensors, "__saved_model_init_op": []}, "it")


def test_an_exported_model_detects_what_the_model_detects(exported_tiny):
    model, base = exported_tiny
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (*size, 3), np.uint8) for size in ((32, 32), (20, 60), (1, 1), (90, 33))]
    detector = open_model(base)
    expected = model.detect(images, sampler="greedy", jit_compile=False)
    found = detector.detect(images, sampler="greedy", max_objects=4, batch_size=3)
    np.testing.assert_array_equal(found["classes"], expected["classes"])
    np.testing.assert_array_equal(found["num_detections"], expected["num_detections"])
    for name in ("boxes", "scores"):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-5)
    assert (found["classes"] >= 0).any()
    assert detector.categories == model.categories and detector.vocabulary == model.vocabulary


def test_an_exported_model_of_several_samples_detects_the_same_in_process_and_on_a_server(exported_tiny, tmp_path):
    model, _ = exported_tiny
    options = {"num_samples": 4, "flip_test": True, "sampler": samplers.TopP(1.0)}  # so that another seed would show
    base = model.export(tmp_path / "served", version=1, verbose=False, **options).parent
    image = np.random.default_rng(0).integers(0, 256, (*model.image_size, 3), np.uint8)
    expected = model.detect(image, **options)
    with ModelServer(base, "several", grpc_port=0, rest_port=0) as server:
        for ref in (base, server.grpc_url, server.rest_url):
            detector = open_model(ref)
            found = detector.detect(image, **options)
            assert found["boxes"].shape == expected["boxes"].shape
            for name in expected:
                np.testing.assert_allclose(found[name], expected[name], atol=1e-5)
            detector.detect(image, flip_test=np.True_, sampler=samplers.TopP(1))  # as it was exported
            with pytest.raises(InputError, match="was exported with flip_test=True"):
                detector.detect(image, flip_test=False)

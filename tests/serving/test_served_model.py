"""Versions, checks of requests, and one queue for all."""

import shutil
import threading
import time

import numpy as np
import pytest

from pix2seq_keras import InputError
from pix2seq_keras.serving import Limits
from pix2seq_keras.serving.served_model import RequestError, ServedModel


@pytest.fixture(scope="module")
def model(served_toy):
    return ServedModel("toy", served_toy, Limits(max_batch_rows=2, max_concurrent=1, max_waiting=1, wait_s=0.3))


def strings(*values):
    return np.array(values, object)


def test_the_highest_version_is_loaded_and_others_only_when_asked_for(served_toy, model):
    assert list(model.versions) == [12]
    assert model.version("toy") == 12
    both = ServedModel("toy", served_toy, Limits(), all_versions=True)
    assert (both.version("toy"), both.version("toy", 3)) == (12, 3)


def test_a_versions_own_folder_is_served_under_its_number(served_toy):
    assert list(ServedModel("toy", served_toy / "3", Limits()).versions) == [3]


@pytest.mark.parametrize("name, version", [("other", None), ("toy", 3), ("toy", 99)])
def test_what_is_not_loaded_is_not_found(model, name, version):
    with pytest.raises(RequestError, match="Servable not found") as refusal:
        model.version(name, version)
    assert refusal.value.code == "NOT_FOUND"


@pytest.mark.parametrize(
    "signature, inputs, said",
    [
        ("nothing", {}, 'Serving signature key "nothing" not found'),
        ("__saved_model_init_op", {}, "not found"),
        ("serving_default", {}, "takes the inputs"),
        ("serving_default", {"images": strings(b"")}, "takes the inputs"),
        ("serving_default", {"image_bytes": np.zeros(1, np.float32)}, "must be string"),
        ("serving_default", {"image_bytes": np.array([[b"a"]], object)}, r"must be \[-1\]. Received: \[1, 1\]"),
        ("serving_default", {"image_bytes": np.array([], object)}, "between 1 and 2 rows"),
        ("serving_default", {"image_bytes": strings(b"", b"", b"")}, "between 1 and 2 rows"),
        ("serving_default", {"image_bytes": strings(b"text")}, "^An image must be a JPEG"),
    ],
)
def test_requests_that_do_not_fit_are_refused_with_a_sentence(model, signature, inputs, said):
    with pytest.raises(RequestError, match=said) as refusal:
        model.run(12, signature, inputs)
    assert refusal.value.code in ("INVALID_ARGUMENT", "FAILED_PRECONDITION")


def test_more_requests_than_may_wait_are_refused_and_waiting_ends(served_toy):
    model = ServedModel("toy", served_toy, Limits(max_concurrent=1, max_waiting=1, wait_s=0.5))
    entered, go, codes = threading.Event(), threading.Event(), []

    def slow(signature, inputs):
        entered.set()
        go.wait(10)
        return {}

    model.versions[12].run = slow

    def ask():
        try:
            model.run(12, "describe", {"keys": strings(b"")})
        except RequestError as error:
            codes.append(error.code)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    threads[0].start()
    assert entered.wait(10)
    threads[1].start()
    time.sleep(0.1)
    ask()  # the third
    assert codes == ["RESOURCE_EXHAUSTED"]
    threads[1].join(10)
    assert codes == ["RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"]
    go.set()
    threads[0].join(10)
    ask()  # the places are free again
    assert len(codes) == 2


def test_a_failure_inside_the_model_is_told_without_its_innards(served_toy):
    model = ServedModel("toy", served_toy, Limits())

    def broken(signature, inputs):
        raise ValueError("secret")

    model.versions[12].run = broken
    with pytest.raises(RequestError, match="The model failed: ValueError") as refusal:
        model.run(12, "describe", {"keys": strings(b"")})
    assert refusal.value.code == "INTERNAL"


def test_folders_without_a_model_and_damaged_models_are_refused(served_toy, tmp_path):
    with pytest.raises(InputError, match="holds no SavedModel"):
        ServedModel("toy", tmp_path, Limits())
    shutil.copytree(served_toy / "3", tmp_path / "1")
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"damaged")
    with pytest.raises(InputError, match="cannot be loaded as a SavedModel"):
        ServedModel("toy", tmp_path, Limits())


def test_a_model_that_does_not_stand_its_warm_up_is_refused(served_toy, tmp_path):
    from pix2seq_keras.exporting.saved_model.warm_up import write_warm_up

    shutil.copytree(served_toy / "3", tmp_path / "1")
    write_warm_up(tmp_path / "1", [("describe", {"keys": strings(b"")})])
    ServedModel("toy", tmp_path, Limits())
    write_warm_up(tmp_path / "1", [("serving_default", {"image_bytes": strings(b"no image")})])
    with pytest.raises(InputError, match="warm-up"):
        ServedModel("toy", tmp_path, Limits())

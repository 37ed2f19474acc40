"""Versions, checks of requests, and the queue."""

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


def test_only_the_highest_version_is_loaded_by_default(served_toy, model):
    assert list(model.versions) == [12]
    assert model.version("toy") == 12
    both = ServedModel("toy", served_toy, Limits(), all_versions=True)
    assert (both.version("toy"), both.version("toy", 3)) == (12, 3)


def test_a_versions_own_folder_is_served_under_its_number(served_toy):
    assert list(ServedModel("toy", served_toy / "3", Limits()).versions) == [3]


@pytest.mark.parametrize("name, version", [("other", None), ("toy", 3), ("toy", 99)])
def test_an_unknown_model_or_version_is_not_found(model, name, version):
    with pytest.raises(RequestError, match="Servable not found") as error:
        model.version(name, version)
    assert error.value.code == "NOT_FOUND"


@pytest.mark.parametrize(
    "signature, inputs, message",
    [
        ("nothing", {}, 'Serving signature key "nothing" not found'),
        ("__saved_model_init_op", {}, "not found"),
        ("serving_default", {}, "takes the inputs"),
        ("serving_default", {"images": strings(b"")}, "takes the inputs"),
        ("serving_default", {"image_bytes": np.zeros(1, np.float32)}, "must have the dtype string"),
        (
            "serving_default",
            {"image_bytes": np.array([[b"a"]], object)},
            r"must have the shape \[-1\]. Received: \[1, 1\]",
        ),
        ("serving_default", {"image_bytes": np.array([], object)}, "between 1 and 2 rows"),
        ("serving_default", {"image_bytes": strings(b"", b"", b"")}, "between 1 and 2 rows"),
        ("serving_default", {"image_bytes": strings(b"text")}, "^An image must be a JPEG"),
    ],
)
def test_requests_that_do_not_match_the_signature_are_refused(model, signature, inputs, message):
    with pytest.raises(RequestError, match=message) as error:
        model.run(12, signature, inputs)
    assert error.value.code in ("INVALID_ARGUMENT", "FAILED_PRECONDITION")


def test_a_full_queue_refuses_requests_and_waiting_has_a_timeout(served_toy):
    model = ServedModel("toy", served_toy, Limits(max_concurrent=1, max_waiting=1, wait_s=0.5))
    running, finish, codes = threading.Event(), threading.Event(), []

    def slow(signature, inputs):
        running.set()
        finish.wait(10)
        return {}

    model.versions[12].run = slow

    def send():
        try:
            model.run(12, "describe", {"keys": strings(b"")})
        except RequestError as error:
            codes.append(error.code)

    threads = [threading.Thread(target=send) for _ in range(2)]
    threads[0].start()
    assert running.wait(10)
    threads[1].start()
    time.sleep(0.1)
    send()  # the third request
    assert codes == ["RESOURCE_EXHAUSTED"]
    threads[1].join(10)
    assert codes == ["RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"]
    finish.set()
    threads[0].join(10)
    send()  # the slots are free again
    assert len(codes) == 2


def test_an_exception_in_the_model_is_reported_without_its_message(served_toy):
    model = ServedModel("toy", served_toy, Limits())

    def broken(signature, inputs):
        raise ValueError("secret")

    model.versions[12].run = broken
    with pytest.raises(RequestError, match="The model failed: ValueError") as error:
        model.run(12, "describe", {"keys": strings(b"")})
    assert error.value.code == "INTERNAL"


def test_folders_without_a_model_and_damaged_models_are_refused(served_toy, tmp_path):
    with pytest.raises(InputError, match="holds no SavedModel"):
        ServedModel("toy", tmp_path, Limits())
    shutil.copytree(served_toy / "3", tmp_path / "1")
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"damaged")
    with pytest.raises(InputError, match="cannot be loaded as a SavedModel"):
        ServedModel("toy", tmp_path, Limits())


def test_a_model_whose_warm_up_requests_fail_is_refused(served_toy, tmp_path):
    from pix2seq_keras.exporting.saved_model.warm_up import write_warm_up

    shutil.copytree(served_toy / "3", tmp_path / "1")
    write_warm_up(tmp_path / "1", [("describe", {"keys": strings(b"")})])
    ServedModel("toy", tmp_path, Limits())
    write_warm_up(tmp_path / "1", [("serving_default", {"image_bytes": strings(b"no image")})])
    with pytest.raises(InputError, match="warm-up"):
        ServedModel("toy", tmp_path, Limits())

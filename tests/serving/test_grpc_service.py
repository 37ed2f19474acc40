"""The gRPC services, called through the official stubs of tensorflow-serving-api."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)


@pytest.fixture(scope="module")
def channel(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        yield channel


@pytest.fixture(scope="module")
def prediction(channel):
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


def predict_request(*images, name="toy", signature="", version=None, output_filter=()):
    request = predict_pb2.PredictRequest(output_filter=output_filter)
    request.model_spec.name, request.model_spec.signature_name = name, signature
    if version is not None:
        request.model_spec.version.value = version
    request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto(list(images), tf.string))
    return request


def refused(method, request):
    """Calls a method that must fail: (name of the status code, message)."""
    with pytest.raises(grpc.RpcError) as error:
        method(request, timeout=10)
    return error.value.code().name, error.value.details()


def test_predict_returns_all_outputs_and_the_model_spec(prediction, red_png):
    response = prediction.Predict(predict_request(red_png, red_png), timeout=10)
    spec = response.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("toy", 12, "serving_default")
    scores = tf.make_ndarray(response.outputs["detection_scores"])
    np.testing.assert_allclose(scores, [[200 / 255, 0, 0]] * 2, rtol=1e-6)
    assert tf.make_ndarray(response.outputs["detection_names"]).tolist() == [[b"cat", b"", b""]] * 2


def test_a_request_may_name_an_older_version(prediction, red_png):
    response = prediction.Predict(predict_request(red_png, version=3), timeout=10)
    assert tf.make_ndarray(response.outputs["detection_scores"])[0, 0] == pytest.approx(100 / 255)


def test_an_output_filter_selects_outputs(prediction, red_png):
    response = prediction.Predict(predict_request(red_png, output_filter=["num_detections"]), timeout=10)
    assert list(response.outputs) == ["num_detections"]
    code, message = refused(prediction.Predict, predict_request(red_png, output_filter=["masks"]))
    assert code == "INVALID_ARGUMENT" and "masks" in message


def test_metadata_has_the_signatures_of_the_saved_model(prediction):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "toy"
    response = prediction.GetModelMetadata(request, timeout=10)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    inputs = signatures.signature_def["serving_default"].inputs
    assert list(inputs) == ["image_bytes"] and inputs["image_bytes"].dtype == tf.string.as_datatype_enum
    assert response.model_spec.version.value == 12


def test_status_lists_every_loaded_version(channel):
    service = model_service_pb2_grpc.ModelServiceStub(channel)
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "toy"
    status = service.GetModelStatus(request, timeout=10)
    available = get_model_status_pb2.ModelVersionStatus.AVAILABLE
    assert [(one.version, one.state) for one in status.model_version_status] == [(3, available), (12, available)]
    request.model_spec.name = "other"
    assert refused(service.GetModelStatus, request)[0] == "NOT_FOUND"


def test_invalid_requests_get_the_status_codes_of_tensorflow_serving(prediction, red_png):
    assert refused(prediction.Predict, predict_request(red_png, name="other"))[0] == "NOT_FOUND"
    assert refused(prediction.Predict, predict_request(red_png, version=4))[0] == "NOT_FOUND"
    assert refused(prediction.Predict, predict_request(red_png, signature="x"))[0] == "FAILED_PRECONDITION"
    code, message = refused(prediction.Predict, predict_request(red_png, b"text"))  # one bad row fails the request
    assert code == "INVALID_ARGUMENT" and message.startswith("An image must be a JPEG")
    labelled = predict_request(red_png)
    labelled.model_spec.version_label = "stable"
    assert refused(prediction.Predict, labelled)[0] == "INVALID_ARGUMENT"
    assert refused(prediction.Classify, classification_pb2.ClassificationRequest())[0] == "UNIMPLEMENTED"


def test_a_tensor_whose_content_does_not_match_its_shape_is_refused(prediction):
    request = predict_request(b"a")
    request.inputs["image_bytes"].tensor_shape.dim[0].size = 10**9
    del request.inputs["image_bytes"].string_val[:]
    request.inputs["image_bytes"].tensor_content = b"abc"
    assert refused(prediction.Predict, request)[0] == "INVALID_ARGUMENT"


def test_a_tensor_of_one_repeated_value_is_refused_before_it_is_expanded_beyond_the_limit(prediction):
    request = predict_request(b"a")
    request.inputs["image_bytes"].tensor_shape.dim[0].size = 10**12
    assert refused(prediction.Predict, request)[0] == "INVALID_ARGUMENT"
    request = predict_request(b"a")
    for number in range(100):  # each of them alone is small enough
        request.inputs[f"more {number}"].CopyFrom(tf.make_tensor_proto(0.0, shape=[1]))
        request.inputs[f"more {number}"].tensor_shape.dim[0].size = 100_000
    code, message = refused(prediction.Predict, request)
    assert code == "INVALID_ARGUMENT" and "is too large" in message


def test_messages_and_batches_over_the_limit_are_refused(prediction):
    assert refused(prediction.Predict, predict_request(bytes(600_000)))[0] == "RESOURCE_EXHAUSTED"
    assert refused(prediction.Predict, predict_request(*[b""] * 5))[0] == "INVALID_ARGUMENT"

"""The official stubs, spoken to as any client of TensorFlow Serving does."""

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
    with pytest.raises(grpc.RpcError) as refusal:
        method(request, timeout=10)
    return refusal.value.code().name, refusal.value.details()


def test_predict_answers_with_all_outputs_and_says_who_answered(prediction, red_png):
    response = prediction.Predict(predict_request(red_png, red_png), timeout=10)
    spec = response.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("toy", 12, "serving_default")
    scores = tf.make_ndarray(response.outputs["detection_scores"])
    np.testing.assert_allclose(scores, [[200 / 255, 0, 0]] * 2, rtol=1e-6)
    assert tf.make_ndarray(response.outputs["detection_names"]).tolist() == [[b"cat", b"", b""]] * 2


def test_an_older_version_answers_when_asked_for(prediction, red_png):
    response = prediction.Predict(predict_request(red_png, version=3), timeout=10)
    assert tf.make_ndarray(response.outputs["detection_scores"])[0, 0] == pytest.approx(100 / 255)


def test_an_output_filter_chooses_outputs(prediction, red_png):
    response = prediction.Predict(predict_request(red_png, output_filter=["num_detections"]), timeout=10)
    assert list(response.outputs) == ["num_detections"]
    code, said = refused(prediction.Predict, predict_request(red_png, output_filter=["masks"]))
    assert code == "INVALID_ARGUMENT" and "masks" in said


def test_metadata_are_the_signatures_of_the_file(prediction):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "toy"
    response = prediction.GetModelMetadata(request, timeout=10)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    inputs = signatures.signature_def["serving_default"].inputs
    assert list(inputs) == ["image_bytes"] and inputs["image_bytes"].dtype == tf.string.as_datatype_enum
    assert response.model_spec.version.value == 12


def test_status_tells_every_loaded_version(channel):
    service = model_service_pb2_grpc.ModelServiceStub(channel)
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "toy"
    status = service.GetModelStatus(request, timeout=10)
    available = get_model_status_pb2.ModelVersionStatus.AVAILABLE
    assert [(one.version, one.state) for one in status.model_version_status] == [(3, available), (12, available)]
    request.model_spec.name = "other"
    assert refused(service.GetModelStatus, request)[0] == "NOT_FOUND"


def test_wrong_requests_get_the_codes_of_the_real_server(prediction, red_png):
    assert refused(prediction.Predict, predict_request(red_png, name="other"))[0] == "NOT_FOUND"
    assert refused(prediction.Predict, predict_request(red_png, version=4))[0] == "NOT_FOUND"
    assert refused(prediction.Predict, predict_request(red_png, signature="x"))[0] == "FAILED_PRECONDITION"
    code, said = refused(prediction.Predict, predict_request(red_png, b"text"))  # one bad row fails the call
    assert code == "INVALID_ARGUMENT" and said.startswith("An image must be a JPEG")
    labelled = predict_request(red_png)
    labelled.model_spec.version_label = "stable"
    assert refused(prediction.Predict, labelled)[0] == "INVALID_ARGUMENT"
    assert refused(prediction.Classify, classification_pb2.ClassificationRequest())[0] == "UNIMPLEMENTED"


def test_a_tensor_that_lies_about_its_size_is_refused(prediction):
    request = predict_request(b"a")
    request.inputs["image_bytes"].tensor_shape.dim[0].size = 10**9
    del request.inputs["image_bytes"].string_val[:]
    request.inputs["image_bytes"].tensor_content = b"abc"
    assert refused(prediction.Predict, request)[0] == "INVALID_ARGUMENT"


def test_a_few_bytes_that_stand_for_many_are_refused_before_they_are_unpacked(prediction):
    request = predict_request(b"a")
    request.inputs["image_bytes"].tensor_shape.dim[0].size = 10**12
    assert refused(prediction.Predict, request)[0] == "INVALID_ARGUMENT"
    request = predict_request(b"a")
    for number in range(100):  # each within bounds
        request.inputs[f"more {number}"].CopyFrom(tf.make_tensor_proto(0.0, shape=[1]))
        request.inputs[f"more {number}"].tensor_shape.dim[0].size = 100_000
    code, said = refused(prediction.Predict, request)
    assert code == "INVALID_ARGUMENT" and "more than are accepted" in said


def test_messages_and_batches_are_bounded(prediction):
    assert refused(prediction.Predict, predict_request(bytes(600_000)))[0] == "RESOURCE_EXHAUSTED"
    assert refused(prediction.Predict, predict_request(*[b""] * 5))[0] == "INVALID_ARGUMENT"

"""TensorFlow Serving's gRPC services: PredictionService and ModelService."""

import functools

import grpc
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from pix2seq_keras.serving.served_model import RequestError, tensor_to_array


def add_services(server, model):
    """Registers the services of a model with a gRPC server.

    Args:
        server: `grpc.Server`.
        model: `ServedModel`.
    """
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(_PredictionService(model), server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(_ModelService(model), server)


def status_of(model, name, version=None):
    """The status of a model's versions. All loaded versions are available.

    Args:
        model: `ServedModel`.
        name: str, the model's name in the request.
        version: int, or `None` for all versions.

    Returns:
        `GetModelStatusResponse`.

    Raises:
        RequestError: NOT_FOUND, if there is no such model or version.
    """
    model.version(name, version)
    response = get_model_status_pb2.GetModelStatusResponse()
    for number in model.versions if version is None else [version]:
        status = response.model_version_status.add(version=number)
        status.state = get_model_status_pb2.ModelVersionStatus.AVAILABLE
        status.status.SetInParent()
    return response


def _aborts_on_error(method):
    """Turns a `RequestError` into the gRPC status of the call."""

    @functools.wraps(method)
    def call(self, request, context):
        try:
            return method(self, request, context)
        except RequestError as error:
            context.abort(grpc.StatusCode[error.code], error.message)

    return call


def _requested_model(spec):
    """(name, version or `None`) of a request's `ModelSpec`."""
    if spec.HasField("version_label"):
        raise RequestError("INVALID_ARGUMENT", "version_label is not supported: use the version's number.")
    return spec.name, spec.version.value if spec.HasField("version") else None


class _PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, model):
        self._model = model

    @_aborts_on_error
    def Predict(self, request, context):  # noqa: N802 - the name is the protocol's
        version = self._model.version(*_requested_model(request.model_spec))
        signature = request.model_spec.signature_name or "serving_default"
        inputs, bytes_left = {}, self._model.limits.max_message_bytes
        for name, tensor in request.inputs.items():
            inputs[name] = tensor_to_array(tensor, bytes_left)
            bytes_left -= inputs[name].nbytes
        outputs = self._model.run(version, signature, inputs, context.time_remaining())
        selected = list(request.output_filter) or list(outputs)
        if unknown := set(selected) - set(outputs):
            raise RequestError("INVALID_ARGUMENT", f"output tensor alias not found in signature: {min(unknown)}")
        response = predict_pb2.PredictResponse()
        _fill_model_spec(response.model_spec, self._model.name, version, signature)
        for name in selected:
            response.outputs[name].CopyFrom(tf.make_tensor_proto(outputs[name]))
        return response

    @_aborts_on_error
    def GetModelMetadata(self, request, context):  # noqa: N802
        version = self._model.version(*_requested_model(request.model_spec))
        if list(request.metadata_field) != ["signature_def"]:
            raise RequestError("INVALID_ARGUMENT", "metadata_field must be signature_def.")
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        _fill_model_spec(response.model_spec, self._model.name, version)
        response.metadata["signature_def"].Pack(self._model.versions[version].definitions)
        return response


class _ModelService(model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, model):
        self._model = model

    @_aborts_on_error
    def GetModelStatus(self, request, context):  # noqa: N802
        return status_of(self._model, *_requested_model(request.model_spec))


def _fill_model_spec(spec, name, version, signature=""):
    spec.name = name
    spec.version.value = version
    spec.signature_name = signature

"""PredictionService and ModelService, as TensorFlow Serving offers them over gRPC."""

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

from pix2seq_keras.serving.served_model import RequestError, as_array


def add_services(server, model):
    """Registers the services of a model with a gRPC server.

    Args:
        server: `grpc.Server`.
        model: `ServedModel`.
    """
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(_Prediction(model), server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(_Status(model), server)


def status_of(model, name, version=None):
    """`GetModelStatusResponse` of a model: what is loaded is available.

    Args:
        model: `ServedModel`.
        name: str.
        version: int, or `None` for all.
    """
    model.version(name, version)
    response = get_model_status_pb2.GetModelStatusResponse()
    for number in model.versions if version is None else [version]:
        status = response.model_version_status.add(version=number)
        status.state = get_model_status_pb2.ModelVersionStatus.AVAILABLE
        status.status.SetInParent()
    return response


def _answering(method):
    """`RequestError` becomes the status of the call."""

    @functools.wraps(method)
    def answer(self, request, context):
        try:
            return method(self, request, context)
        except RequestError as error:
            context.abort(grpc.StatusCode[error.code], error.message)

    return answer


def _asked(model, spec):
    """(name, version) of a request's `ModelSpec`."""
    if spec.HasField("version_label"):
        raise RequestError("INVALID_ARGUMENT", "This server has no version labels: ask for a version by its number.")
    return spec.name, spec.version.value if spec.HasField("version") else None


class _Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, model):
        self._model = model

    @_answering
    def Predict(self, request, context):  # noqa: N802 - the service's name
        version = self._model.version(*_asked(self._model, request.model_spec))
        signature = request.model_spec.signature_name or "serving_default"
        inputs, left = {}, self._model.limits.max_message_bytes
        for name, tensor in request.inputs.items():
            inputs[name] = as_array(tensor, left)
            left -= inputs[name].nbytes
        outputs = self._model.run(version, signature, inputs, context.time_remaining())
        wanted = list(request.output_filter) or list(outputs)
        if unknown := set(wanted) - set(outputs):
            raise RequestError("INVALID_ARGUMENT", f"output tensor alias not found in signature: {min(unknown)}")
        response = predict_pb2.PredictResponse()
        _fill(response.model_spec, self._model.name, version, signature)
        for name in wanted:
            response.outputs[name].CopyFrom(tf.make_tensor_proto(outputs[name]))
        return response

    @_answering
    def GetModelMetadata(self, request, context):  # noqa: N802
        version = self._model.version(*_asked(self._model, request.model_spec))
        if list(request.metadata_field) != ["signature_def"]:
            raise RequestError("INVALID_ARGUMENT", "The metadata_field must be signature_def, which is all there is.")
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        _fill(response.model_spec, self._model.name, version)
        response.metadata["signature_def"].Pack(self._model.versions[version].definitions)
        return response


class _Status(model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, model):
        self._model = model

    @_answering
    def GetModelStatus(self, request, context):  # noqa: N802
        return status_of(self._model, *_asked(self._model, request.model_spec))


def _fill(spec, name, version, signature=""):
    spec.name = name
    spec.version.value = version
    spec.signature_name = signature

"""Requests that TensorFlow Serving makes to a model before it says that it is ready."""

from pathlib import Path

import tensorflow as tf
from tensorflow_serving.apis import model_pb2, predict_pb2, prediction_log_pb2

# Where the server looks for them inside a SavedModel, and how many it takes.
WARM_UP_FILE = Path("assets.extra") / "tf_serving_warmup_requests"
MOST_REQUESTS = 1000


def write_warm_up(folder, requests):
    """Writes warm-up requests into a SavedModel.

    Args:
        folder: path of the SavedModel.
        requests: list of (signature, dictionary of input -> array), at most 1000.
    """
    path = Path(folder) / WARM_UP_FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests[:MOST_REQUESTS]:
            request = predict_pb2.PredictRequest(model_spec=model_pb2.ModelSpec(signature_name=signature))
            for name, values in inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
            log = prediction_log_pb2.PredictLog(request=request)
            writer.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())

"""Warm-up requests inside a SavedModel: TensorFlow Serving runs them before it reports the model as available."""

from pathlib import Path

import tensorflow as tf

# Where TensorFlow Serving looks for them inside a SavedModel, and how many it accepts.
WARM_UP_FILE = Path("assets.extra") / "tf_serving_warmup_requests"
MAX_WARM_UP_REQUESTS = 1000


def write_warm_up(folder, requests):
    """Writes warm-up requests into a SavedModel.

    Args:
        folder: path of the SavedModel.
        requests: list of (signature, dictionary of input name to array). Only the first 1000 are written.
    """
    # Imported here: only exports need tensorflow_serving.
    from tensorflow_serving.apis import model_pb2, predict_pb2, prediction_log_pb2

    path = Path(folder) / WARM_UP_FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests[:MAX_WARM_UP_REQUESTS]:
            request = predict_pb2.PredictRequest(model_spec=model_pb2.ModelSpec(signature_name=signature))
            for name, values in inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
            log = prediction_log_pb2.PredictLog(request=request)
            writer.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())

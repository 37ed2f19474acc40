"""Warm-up requests, in the format of TensorFlow Serving."""

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from pix2seq_keras.exporting.saved_model.warm_up import MAX_WARM_UP_REQUESTS, write_warm_up


def read_logs(folder):
    records = tf.data.TFRecordDataset(str(folder / "assets.extra" / "tf_serving_warmup_requests"))
    return [prediction_log_pb2.PredictionLog.FromString(record.numpy()) for record in records]


def test_warm_up_requests_are_prediction_logs(tmp_path):
    write_warm_up(tmp_path, [("serving_default", {"x": [1.0, 2.0]}), ("other", {"y": [b"a"]})])

    first, second = (log.predict_log.request for log in read_logs(tmp_path))
    assert first.model_spec.signature_name == "serving_default"
    assert tf.make_ndarray(first.inputs["x"]).tolist() == [1.0, 2.0]
    assert second.model_spec.signature_name == "other"
    assert tf.make_ndarray(second.inputs["y"]).tolist() == [b"a"]


def test_no_more_requests_are_written_than_servers_accept(tmp_path):
    write_warm_up(tmp_path, [("serving_default", {"x": [1.0]})] * (MAX_WARM_UP_REQUESTS + 1))

    assert len(read_logs(tmp_path)) == MAX_WARM_UP_REQUESTS == 1000

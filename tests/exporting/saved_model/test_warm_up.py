"""Warm-up requests of a SavedModel."""

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from pix2seq_keras.exporting.saved_model.warm_up import MAX_WARM_UP_REQUESTS, WARM_UP_FILE, write_warm_up


def read_requests(folder):
    records = tf.data.TFRecordDataset(str(folder / WARM_UP_FILE))
    return [prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request for record in records]


def test_requests_are_written_where_tensorflow_serving_looks_for_them(tmp_path):
    requests = [("tensor", {"input_tensor": np.zeros((1, 4, 5, 3), np.uint8)}), ("sample", {"seed": np.array([7])})]

    write_warm_up(tmp_path, requests)

    first, second = read_requests(tmp_path)
    assert (first.model_spec.signature_name, second.model_spec.signature_name) == ("tensor", "sample")
    assert tf.make_ndarray(first.inputs["input_tensor"]).shape == (1, 4, 5, 3)
    assert tf.make_ndarray(second.inputs["seed"]).tolist() == [7]


def test_more_requests_than_the_server_accepts_are_not_written(tmp_path):
    write_warm_up(tmp_path, [("describe", {})] * (MAX_WARM_UP_REQUESTS + 1))
    assert len(read_requests(tmp_path)) == MAX_WARM_UP_REQUESTS

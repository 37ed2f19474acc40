"""The fused training step equals Keras's batch normalisation."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras.layers.batch_normalization import BatchNormalization

SHAPE = (3, 5, 4, 6)


def pair(**options):
    """Keras's layer and ours, with the same weights, none of which has its initial value."""
    options = {"momentum": 0.9, "epsilon": 1e-5, **options}
    layers = [kind(**options) for kind in (keras.layers.BatchNormalization, BatchNormalization)]
    rng = np.random.default_rng(1)
    for layer in layers:
        layer.build(SHAPE)
    values = [rng.uniform(0.5, 2, weight.shape) for weight in layers[0].weights]
    for layer in layers:
        layer.set_weights(values)
    return layers


def one_step(layer, inputs, compiled=False):
    """Outputs, gradients of a loss with regard to the inputs and the trained weights, and the weights afterwards."""
    target = tf.cast(tf.constant(np.random.default_rng(2).normal(size=inputs.shape)), tf.float32)

    def step(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, training=True)
            loss = tf.reduce_sum(tf.cast(outputs, tf.float32) * target)
        return outputs, *tape.gradient(loss, [inputs, *[weight.value for weight in layer.trainable_weights]])

    if compiled:
        step = tf.function(step, jit_compile=True, autograph=False)
    results = [np.asarray(tf.cast(value, tf.float32)) for value in step(inputs)]
    return results + layer.get_weights()


def fused_operations(layer, inputs):
    graph = (
        tf.function(lambda inputs: layer(inputs, training=True), autograph=False).get_concrete_function(inputs).graph
    )
    return [operation for operation in graph.get_operations() if operation.type == "FusedBatchNormV3"]


@pytest.fixture
def features():
    return tf.constant(np.random.default_rng(0).normal(3, 2, SHAPE), tf.float32)


@pytest.mark.parametrize("compiled", [False, True])
def test_outputs_gradients_and_running_statistics_are_those_of_keras(features, compiled):
    expected, found = (one_step(layer, features, compiled) for layer in pair())

    assert len(found) == 1 + 1 + 2 + 4
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=2e-5)


def test_the_step_is_fused(features):
    reference, layer = pair()
    assert len(fused_operations(layer, features)) == 1
    assert not fused_operations(reference, features)


def test_bfloat16_features_stay_bfloat16_and_statistics_are_float32(features):
    expected, found = (one_step(layer, tf.cast(features, tf.bfloat16)) for layer in pair(dtype="mixed_bfloat16"))

    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(other, one, rtol=0.05, atol=0.05)
    np.testing.assert_allclose(found[-2:], expected[-2:], rtol=1e-3)


def test_one_value_per_channel_has_the_variance_0():
    layer = pair()[1]
    before = layer.moving_variance.numpy()
    outputs = layer(tf.ones((1, 1, 1, 6)), training=True)
    np.testing.assert_allclose(outputs[0, 0, 0], layer.beta, atol=1e-6)
    np.testing.assert_allclose(layer.moving_variance, 0.9 * before, rtol=1e-6)


@pytest.mark.parametrize("options", [{"synchronized": True}, {"scale": False}, {"center": False}, {"axis": 1}])
def test_what_the_operation_cannot_do_is_left_to_keras(options, features):
    reference, layer = (
        pair(**options)
        if "axis" not in options
        else [kind(**options) for kind in (keras.layers.BatchNormalization, BatchNormalization)]
    )
    assert not fused_operations(layer, features)
    np.testing.assert_array_equal(layer(features, training=True), reference(features, training=True))


def test_inference_and_frozen_layers_use_the_running_statistics(features):
    reference, layer = pair()
    np.testing.assert_array_equal(layer(features), reference(features))
    layer.trainable = reference.trainable = False
    np.testing.assert_array_equal(layer(features, training=True), reference(features, training=True))


def test_a_file_of_keras_layers_has_the_same_names(tmp_path, features):
    reference, layer = (keras.Sequential([keras.Input(SHAPE[1:]), layer]) for layer in pair())
    reference.save_weights(tmp_path / "a.weights.h5")
    layer.layers[0].gamma.assign(0 * layer.layers[0].gamma)
    layer.load_weights(tmp_path / "a.weights.h5")
    np.testing.assert_array_equal(layer(features), reference(features))

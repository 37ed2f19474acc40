"""An image becomes a sequence of vectors."""

import keras
import numpy as np

from pix2seq_keras.layers import ImageEncoder, ResidualStem, sine_code_2d

SIZES = {"num_layers": 1, "dim": 8, "mlp_dim": 16, "num_heads": 2}


def backbone():
    return keras.Sequential([keras.layers.Conv2D(6, 8, 8), keras.layers.ReLU()])


def test_the_encoder_satisfies_the_layer_contract(check_layer, numbers):
    # Rounding to bfloat16 shows more after a norm of features that hardly differ.
    output = check_layer(ImageEncoder(ResidualStem((4, 6, 6)), **SIZES), numbers(2, 16, 24, 3), tolerance=0.2)

    assert output.shape == (2, 6, 8)


def test_any_keras_model_is_a_backbone(check_layer, numbers):
    output = check_layer(ImageEncoder(backbone(), **SIZES), numbers(2, 16, 24, 3), tolerance=0.2)

    assert output.shape == (2, 6, 8)


def test_the_grid_is_flattened_row_by_row(numbers):
    encoder, images = ImageEncoder(backbone(), **{**SIZES, "num_layers": 0}), numbers(1, 16, 24, 3)

    output = encoder(images)

    features = np.asarray(encoder.backbone(images)).reshape(1, 6, 6)
    x = encoder.projection_norm(encoder.projection(features)) + sine_code_2d(2, 3, 8)
    np.testing.assert_allclose(output, encoder.transformer.output_norm(x), atol=1e-5)
    assert encoder.grid == (2, 3)


def test_a_backbones_weights_are_trained_and_its_training_mode_is_passed_on(numbers):
    encoder, images = ImageEncoder(ResidualStem((4, 6)), **SIZES), numbers(2, 16, 16, 3) + 2
    encoder(images)
    stem = encoder.backbone
    before = np.asarray(stem.norm.moving_mean)

    encoder(images, training=True)

    assert np.abs(stem.norm.moving_mean - before).max() > 0
    assert any(weight is stem.conv.kernel for weight in encoder.trainable_weights)

"""Random brightness, contrast, saturation and hue, as one affine map of the RGB values."""

import math

import numpy as np
import tensorflow as tf

from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences.randomness import fold

# RGB -> YIQ (NTSC): luma and two colour axes, in whose plane a rotation changes the hue.
YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
YIQ[1:] -= YIQ[1:].mean(1, keepdims=True)  # the published digits are rounded; grey must have no colour at all
RGB = np.linalg.inv(YIQ)
LUMA = YIQ[0]


def color_jitter(image, *, strength=1.0, brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, seed):
    """Changes brightness, contrast, saturation and hue at random, in this order, and clips to [0, 1].

    All four are affine in RGB: contrast scales the distance from the image's mean luma, saturation the distance from
    each pixel's luma, hue rotates the colour plane of YIQ. So they are multiplied into one 3×3 matrix and an offset,
    and cost a single pass over the pixels. Boxes do not change.

    Args:
        image: float32 tensor (h, w, 3) in [0, 1].
        strength: float ≥ 0, multiplies the four amounts below; 0 returns the image unchanged. Defaults to 1.
        brightness: float b ≥ 0: the image is multiplied by a factor uniform in [max(0, 1−b), 1+b]. Defaults to 0.4.
        contrast: float ≥ 0, amount of a factor drawn in the same way. Defaults to 0.4.
        saturation: float ≥ 0, amount of a factor drawn in the same way; a factor of 0 gives grey. Defaults to 0.4.
        hue: float ≥ 0: the hue is rotated by an angle uniform in [−hue, hue], in revolutions. Defaults to 0.1.
        seed: int tensor (2,).

    Returns:
        float32 tensor (h, w, 3) in [0, 1].

    Raises:
        InputError: if an amount is negative.

    Example:
        >>> image = color_jitter(image, strength=0.5, seed=(0, 1))
    """
    amounts = {
        "strength": strength,
        "brightness": brightness,
        "contrast": contrast,
        "saturation": saturation,
        "hue": hue,
    }
    for name, amount in amounts.items():
        if not amount >= 0:
            raise InputError(f"`{name}` must be at least 0. Received: {name}={amount}")
    spread = strength * tf.constant([brightness, contrast, saturation, hue], tf.float32)
    moves = spread * tf.random.stateless_uniform([4], fold(seed, "color_jitter"), -1.0, 1.0)
    factors = tf.maximum(1.0 + moves[:3], 0.0)
    return adjust_color(image, factors[0], factors[1], factors[2], moves[3])


def adjust_color(image, brightness=1.0, contrast=1.0, saturation=1.0, hue=0.0):
    """Changes brightness, contrast, saturation and hue by given amounts.

    Args:
        image: float32 tensor (h, w, 3) in [0, 1].
        brightness: float scalar, a factor. Defaults to 1, no change.
        contrast: float scalar, factor of the distance from the image's mean luma. Defaults to 1.
        saturation: float scalar, factor of the distance from each pixel's luma. Defaults to 1.
        hue: float scalar, rotation in revolutions, positive from red to green to blue. Defaults to 0.

    Returns:
        float32 tensor (h, w, 3), clipped to [0, 1].
    """
    angle = 2.0 * math.pi * tf.cast(hue, tf.float32)
    # In the I-Q plane red → green → blue runs clockwise, hence the sign of the sines.
    cosine, sine = saturation * tf.cos(angle), saturation * tf.sin(angle)
    one, zero = tf.ones_like(angle), tf.zeros_like(angle)
    rotation = tf.reshape(tf.stack([one, zero, zero, zero, cosine, sine, zero, -sine, cosine]), (3, 3))  # in YIQ
    to_yiq, to_rgb = tf.constant(YIQ, tf.float32), tf.constant(RGB, tf.float32)
    matrix = contrast * brightness * (to_rgb @ rotation @ to_yiq)  # (3, 3)

    # Neither saturation nor hue changes the luma, so its mean can be computed first.
    pixels = tf.reshape(image, (-1, 3))  # (h·w, 3)
    mean_luma = tf.tensordot(tf.reduce_mean(pixels, 0), tf.constant(LUMA, tf.float32), 1)
    offset = (1.0 - contrast) * brightness * mean_luma
    pixels = tf.linalg.matmul(pixels, matrix, transpose_b=True) + offset
    return tf.reshape(tf.clip_by_value(pixels, 0.0, 1.0), tf.shape(image))

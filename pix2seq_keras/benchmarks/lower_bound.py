"""The lower bound of decoding time: the time that memory bandwidth and arithmetic require."""

import numpy as np

from pix2seq_keras.sequences import TOKENS_PER_OBJECT


def lower_bound_seconds(model, options, batch_size, bandwidth, gemm):
    """The time of decoding if every step were limited by memory bandwidth or arithmetic, and by nothing else.

    Each step reads its weights once for the batch, and for every image the keys and values of cross-attention and of
    the positions so far. It takes the longer of the time to read and the time to compute.

    Args:
        model: `Pix2Seq` in float32.
        options: `DecodingOptions`, complete.
        batch_size: int.
        bandwidth: float, bytes per second.
        gemm: float, operations per second.

    Returns:
        float, seconds.
    """
    weights, heads, per_position, num_patches = _sizes(model)
    total = 0.0
    for position in range(TOKENS_PER_OBJECT * options.max_objects):
        weight_count = weights + heads[position % TOKENS_PER_OBJECT]
        attended = per_position * (num_patches + position + 1)  # numbers in keys and values of one image
        num_bytes = 4 * (weight_count + batch_size * attended)
        operations = 2 * batch_size * (weight_count + attended)
        total += max(num_bytes / bandwidth, operations / gemm)
    return total


def step_bytes(model, options, batch_size):
    """The bytes that the step in the middle of the sequences reads.

    Args:
        model: `Pix2Seq` in float32.
        options: `DecodingOptions`, complete.
        batch_size: int.

    Returns:
        int.
    """
    weights, heads, per_position, num_patches = _sizes(model)
    middle = TOKENS_PER_OBJECT * options.max_objects // 2
    return 4 * (weights + heads[0] + batch_size * per_position * (num_patches + middle))


def cache_bytes(model, options, batch_size):
    """The bytes of the KV cache: all keys and values of the image and of the sequence.

    Args:
        model: `Pix2Seq` in float32.
        options: `DecodingOptions`, complete.
        batch_size: int.

    Returns:
        int.
    """
    _, _, per_position, num_patches = _sizes(model)
    return 4 * batch_size * per_position * (num_patches + TOKENS_PER_OBJECT * options.max_objects)


def _sizes(model):
    """Sizes in numbers: the blocks' weights, the head's at each of the five places, and a position's keys and values.

    The last value is the number of the encoder's patches.
    """
    config, vocabulary = model.decoder_config, model.vocabulary
    layers, dim, mlp_dim = config["decoder_layers"], config["decoder_dim"], config["decoder_mlp_dim"]
    weights = layers * (6 * dim * dim + 2 * dim * mlp_dim)  # q, k, v, out; cross q, out; MLP
    classes = dim * (vocabulary.num_classes + 2)
    heads = [dim * vocabulary.num_bins] * 4 + [classes]
    return weights, heads, 2 * layers * dim, int(np.prod(model.encoder.grid))

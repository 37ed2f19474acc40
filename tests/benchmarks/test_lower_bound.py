"""The lower bound of decoding time, against sums written out for one small preset."""

import pytest
import tensorflow as tf

from pix2seq_keras import Pix2Seq
from pix2seq_keras.benchmarks import lower_bound
from pix2seq_keras.decoding import DecodingOptions

DIM, MLP, LAYERS, BINS, CLASSES, PATCHES = 128, 384, 2, 192, 10, 12 * 12
BATCH = 3


@pytest.fixture(scope="module")
def model():
    model = Pix2Seq.from_preset("digits_tiny", weights=None)
    config = model.decoder_config
    assert (config["decoder_dim"], config["decoder_mlp_dim"], config["decoder_layers"]) == (DIM, MLP, LAYERS)
    assert (model.vocabulary.num_bins, model.vocabulary.num_classes) == (BINS, CLASSES)
    return model


@pytest.fixture(scope="module")
def options(model):
    return DecodingOptions(max_objects=2, sampler="greedy").complete(model.max_length)


def test_the_lower_bound_is_bytes_by_bandwidth_or_operations_by_rate(model, options):
    sizes = []
    for position in range(10):
        head = DIM * (CLASSES + 2 if position % 5 == 4 else BINS)
        sizes.append((LAYERS * (6 * DIM * DIM + 2 * DIM * MLP) + head, 2 * LAYERS * DIM * (PATCHES + position + 1)))

    num_bytes = sum(4 * (weights + BATCH * attended) for weights, attended in sizes)
    operations = sum(2 * BATCH * (weights + attended) for weights, attended in sizes)

    by_memory = lower_bound.lower_bound_seconds(model, options, BATCH, bandwidth=1e9, gemm=1e15)
    by_arithmetic = lower_bound.lower_bound_seconds(model, options, BATCH, bandwidth=1e15, gemm=1e9)
    assert by_memory == pytest.approx(num_bytes / 1e9)
    assert by_arithmetic == pytest.approx(operations / 1e9)


def test_the_cache_has_the_size_that_is_computed(model, options):
    cache = tf.nest.flatten(model.decoder.init_cache(tf.zeros([BATCH, PATCHES, DIM]), 10))
    assert lower_bound.cache_bytes(model, options, BATCH) == 4 * sum(tf.size(part).numpy() for part in cache)

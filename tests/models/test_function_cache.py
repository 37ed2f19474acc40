"""Compiled functions are kept: equal options share a graph, and one graph serves every batch size."""

import pytest

from pix2seq_keras import DecodingOptions, samplers


def complete(**options):
    return DecodingOptions(**options).complete(max_length=20)


def test_equal_options_share_a_function(tiny_model):
    for make in (tiny_model.decoder_function, tiny_model.detector_function, tiny_model.stepwise_functions):
        assert make(complete(sampler="top_k")) is make(complete(sampler=samplers.TopK()))
        assert make(complete(sampler="top_k")) is not make(complete(sampler="greedy"))
    assert tiny_model.encoder_function() is tiny_model.encoder_function()


def test_the_seed_is_an_input_of_every_function(tiny_model):
    for make in (tiny_model.decoder_function, tiny_model.detector_function, tiny_model.stepwise_functions):
        assert make(complete(seed=1)) is make(complete(seed=2))


@pytest.mark.parametrize("option", [{"num_samples": 2}, {"num_samples": 2, "flip_test": True}, {"multi_label": False}])
def test_what_follows_decoding_shares_the_decoder(tiny_model, option):
    assert tiny_model.decoder_function(complete(**option)) is tiny_model.decoder_function(complete())
    assert tiny_model.detector_function(complete(**option)) is not tiny_model.detector_function(complete())


def test_compilation_and_the_length_of_the_prompt_have_functions_of_their_own(tiny_model):
    plain = tiny_model.decoder_function(complete())

    assert tiny_model.decoder_function(complete(), jit_compile=True) is not plain
    assert tiny_model.decoder_function(complete(), prompt_length=5) is not plain
    assert tiny_model.detector_function(complete(), True) is not tiny_model.detector_function(complete())


def test_one_graph_serves_every_batch_size(tiny_model, tiny_images):
    options = complete(sampler=samplers.TopK(3))
    for size in (1, 3, 8):
        tiny_model.generate(tiny_images[:size], options)
        tiny_model.detect(tiny_images[:size], options)

    assert tiny_model.decoder_function(options).experimental_get_tracing_count() == 1
    assert tiny_model.detector_function(options).experimental_get_tracing_count() == 1


def test_changed_weights_change_what_compiled_functions_compute(build_tiny_model, tiny_images):
    model, other = build_tiny_model(0), build_tiny_model(1)
    before = model.generate(tiny_images, sampler="greedy")["tokens"].numpy()

    model.set_weights(other.get_weights())

    after = model.generate(tiny_images, sampler="greedy")["tokens"].numpy()
    assert (after != before).any()

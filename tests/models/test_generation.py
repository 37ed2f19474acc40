"""Decoding with a whole model: paths that must agree, prompts, the bias of the end token, beams, XLA."""

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras import DecodingOptions, InputError, Vocabulary, samplers
from pix2seq_keras.models.generation import make_decoder
from pix2seq_keras.vocabulary import dequantize

KEYS = {"tokens", "log_probs", "classes", "class_scores", "coordinates", "coordinate_scores", "class_probabilities"}


def redraw(model, rng):
    """Other weights for a model whose functions are already compiled."""
    for weight in model.decoder.trainable_weights + model.embedding.trainable_weights:
        weight.assign(rng.permutation(np.asarray(weight).reshape(-1)).reshape(weight.shape))


def shifted(model, tokens):
    """The tokens with the start token first and without the last one: the input that leads to them."""
    return np.concatenate([np.full((len(tokens), 1), model.vocabulary.start_token), tokens[:, :-1]], 1)


def uncached_logits(model, images, tokens):
    return model({"images": images, "tokens": shifted(model, tokens)}, training=False).numpy()


@pytest.fixture(scope="module")
def two_layers(build_tiny_model):
    """A model with two decoder layers. Tests leave its weights as they are."""
    return build_tiny_model(1, decoder_layers=2)


@pytest.mark.parametrize(
    "sizes",
    [{}, {"decoder_layers": 2}, {"decoder_dim": 24, "decoder_heads": 3, "embedding_scale": None}],
    ids=["one layer", "two layers", "three heads"],
)
def test_greedy_tokens_are_the_arg_max_of_the_uncached_model(build_tiny_model, tiny_images, sizes):
    model = build_tiny_model(len(sizes), **sizes)
    signature = [tf.TensorSpec([None, 32, 32, 3], tf.float32), tf.TensorSpec([None, 20], tf.int32)]
    uncached = tf.function(lambda images, tokens: model({"images": images, "tokens": tokens}), signature)
    compared, positions, different = 0, 0, set()
    for draw in range(15):
        rng = np.random.default_rng(draw)
        if draw:
            redraw(model, rng)
        images = tiny_images[rng.permutation(8)[: rng.integers(1, 9)]]

        tokens = model.generate(images, sampler="greedy", constrained=False)["tokens"].numpy()

        logits = uncached(images, shifted(model, tokens).astype(np.int32)).numpy()
        best = np.sort(logits, -1)[..., -2:]
        stable = np.cumsum(best[..., 1] - best[..., 0] < 1e-4, -1) == 0  # before any near tie
        np.testing.assert_array_equal(tokens[stable], logits.argmax(-1)[stable])
        compared, positions = compared + stable.sum(), positions + tokens.size
        different.update(tokens.ravel())
    assert compared > 0.95 * positions and len(different) > 15


def test_batches_and_xla_decode_the_same(two_layers, tiny_images):
    seeds = np.arange(8)
    options = {"sampler": samplers.TopP(0.9), "stop_at_end": True}
    together = two_layers.generate(tiny_images, seed=seeds, **options)

    same = []
    for size, jit_compile in ((1, False), (1, True), (3, False), (3, True), (8, False)):
        for start in range(0, 9 - size, size):
            rows = slice(start, start + size)
            part = two_layers.generate(tiny_images[rows], seed=seeds[rows], jit_compile=jit_compile, **options)
            alike = (part["tokens"] == together["tokens"][rows]).numpy().all(-1)
            scores, expected = (one["class_scores"].numpy() for one in (part, together))
            np.testing.assert_allclose(scores[alike], expected[rows][alike], atol=1e-4)
            same += alike.tolist()

    assert len(same) == 2 * (8 + 6) + 8
    assert np.mean(same) >= 0.995  # a near tie may fall either way; of these none does


def test_greedy_decoding_is_the_same_in_any_batch_and_in_xla(two_layers, tiny_images):
    options = {"sampler": "greedy", "stop_at_end": True}
    together = two_layers.generate(tiny_images, **options)

    parts = [two_layers.generate(tiny_images[row : row + 3], **options) for row in range(6)]
    alone = [two_layers.generate(tiny_images[row : row + 1], **options) for row in range(8)]
    compiled = two_layers.generate(tiny_images, jit_compile=True, **options)

    for name, tolerance in (("tokens", 0), ("class_scores", 1e-4)):
        values = together[name].numpy()
        np.testing.assert_allclose(compiled[name], values, atol=tolerance)
        np.testing.assert_allclose(np.concatenate([one[name] for one in alone]), values, atol=tolerance)
        for row, part in enumerate(parts):
            np.testing.assert_allclose(part[name], values[row : row + 3], atol=tolerance)


def test_a_cache_that_grows_decodes_the_same(tiny_model, tiny_images):
    options = DecodingOptions(max_objects=4, sampler="greedy").complete(20)
    encoded = tiny_model.encode(tiny_images)
    no_prompt, seeds = tf.zeros([8, 0], tf.int32), tf.zeros([8], tf.int32)

    whole, grown, compiled = (
        make_decoder(tiny_model, options, jit_compile, 0, lengths)(encoded, seeds, no_prompt)
        for jit_compile, lengths in ((False, [20]), (False, [3, 12, 20]), (True, [7, 13, 20]))
    )

    assert set(whole) == KEYS
    for name in KEYS:
        np.testing.assert_allclose(grown[name], whole[name], atol=1e-5, err_msg=name)
        np.testing.assert_allclose(compiled[name], whole[name], atol=1e-5, err_msg=name)


def test_the_graph_holds_no_xla_op(tiny_model):
    options = DecodingOptions().complete(20)

    graph = make_decoder(tiny_model, options).get_concrete_function().graph.as_graph_def()

    ops = {node.op for function in graph.library.function for node in function.node_def}
    assert "StatelessWhile" in ops or "While" in ops
    assert not [op for op in ops if op.startswith("Xla")]


# ---- Prompts ----


@pytest.mark.parametrize("constrained", [True, False])
@pytest.mark.parametrize("length", [1, 4, 5, 13, 20])
def test_a_prompt_is_continued_as_the_sequence_it_was_taken_from(tiny_model, tiny_images, constrained, length):
    options = {"sampler": samplers.TopP(0.9), "seed": np.arange(8), "constrained": constrained}
    whole = tiny_model.generate(tiny_images, **options)

    continued = tiny_model.generate(tiny_images, prompt=whole["tokens"][:, :length], **options)

    np.testing.assert_array_equal(continued["tokens"], whole["tokens"])
    for name in set(continued) - {"tokens"}:
        np.testing.assert_allclose(continued[name], whole[name], atol=1e-4, err_msg=name)


def test_a_box_as_prompt_gives_its_class(tiny_model, tiny_images):
    box = np.tile([[7, 8, 15, 19]], (8, 1))

    sequences = tiny_model.generate(tiny_images, max_objects=1, prompt=box, sampler="greedy")

    assert sequences["tokens"].numpy()[:, :4].tolist() == box.tolist()
    inputs = np.concatenate([np.full((8, 1), 1), box], 1)
    logits = tiny_model({"images": tiny_images, "tokens": inputs}).numpy()[:, 4]
    expected = np.exp(logits[:, 3:6]) / np.exp(logits[:, [0, 2, 3, 4, 5]]).sum(-1, keepdims=True)
    np.testing.assert_allclose(sequences["class_probabilities"][:, 0], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (np.zeros((8, 2), np.float32), "integer array"),
        (np.full((3, 2), 7), "one row an image"),
        (np.full(8, 7), "one row an image"),
        ([[7, 8], [7]], "one row an image"),
        (np.full((8, 21), 7), "at most 20"),
        (np.tile([[7, 3]], (8, 1)), "token 3 at position 1 of row 0"),
        (np.tile([[9, 7, 8]], (8, 1)), "token 8 at position 2 of row 0"),
        (np.tile([[7, 7, 7, 7, 9]], (8, 1)), "token 9 at position 4 of row 0"),
        (np.full((8, 1), 0), "token 0 at position 0 of row 0"),
    ],
)
def test_a_prompt_that_is_not_valid_is_refused(tiny_model, tiny_images, prompt, message):
    with pytest.raises(InputError, match=message):
        tiny_model.generate(tiny_images, prompt=prompt)


# ---- The end token ----


def test_the_end_bias_delays_the_end_and_leaves_the_scores(tiny_model, tiny_images):
    def decode(end_bias):
        options = {"sampler": "greedy", "stop_at_end": True, "end_bias": end_bias}
        return {name: value.numpy() for name, value in tiny_model.generate(tiny_images, **options).items()}

    objects = [(decode(bias)["tokens"] != 0).sum() // 5 for bias in (-100.0, 2.0, 100.0)]

    assert objects[0] == 32 > objects[1] > 0 == objects[2]
    never = tiny_model.generate(tiny_images, sampler="greedy", stop_at_end=True, end_bias=-1e9)
    np.testing.assert_allclose(never["log_probs"], decode(-100.0)["log_probs"], atol=1e-5)


# ---- Scores and beams ----


def test_coordinate_scores_are_geometric_means_of_four_probabilities(tiny_model, tiny_images):
    sequences = tiny_model.generate(tiny_images, sampler=samplers.TopP(0.9), stop_at_end=True, seed=3)

    tokens = sequences["tokens"].numpy().reshape(8, 4, 5)
    expected = np.exp(sequences["log_probs"].numpy().reshape(8, 4, 5)[..., :4].mean(-1))
    ended = tokens[..., 0] == 0
    np.testing.assert_allclose(sequences["coordinate_scores"], np.where(ended, 0, expected), atol=1e-6)


def mean_coordinates(model, images, tokens, reach):
    """(8, 4, 4): the mean of the bins at most `reach` from the decoded ones, by the uncached model's probabilities."""
    logits = np.float64(uncached_logits(model, images, tokens)).reshape(8, 4, 5, -1)[:, :, :4, 6:22]
    bins, chosen = np.arange(16), tokens.reshape(8, 4, 5)[..., :4, None] - 6
    earlier = np.concatenate([np.zeros_like(chosen[:, :, :2]), chosen[:, :, :2]], 2)  # ymax ≥ ymin, xmax ≥ xmin
    weights = np.where((np.abs(bins - chosen) <= reach) & (bins >= earlier), np.exp(logits), 0)
    edges = (weights * bins).sum(-1) / weights.sum(-1) / 15
    return np.concatenate([edges[..., :2], np.maximum(edges[..., 2:], edges[..., :2])], -1)


@pytest.mark.parametrize("sampler", [samplers.TopP(0.9), samplers.BeamSearch(2)])
def test_refined_coordinates_are_means_around_the_tokens_which_stay_as_they_are(tiny_model, tiny_images, sampler):
    options = {"sampler": sampler, "seed": 3}
    plain = tiny_model.generate(tiny_images, coordinate_window=0, **options)

    refined = tiny_model.generate(tiny_images, coordinate_window=0.2, **options)  # three bins of 16

    tokens = refined["tokens"].numpy()
    np.testing.assert_array_equal(tokens, plain["tokens"])
    np.testing.assert_array_equal(refined["class_probabilities"], plain["class_probabilities"])
    on_bins = dequantize(tokens.reshape(8, 4, 5)[..., :4] - 6, 16)
    np.testing.assert_allclose(plain["coordinates"], on_bins, atol=1e-6)
    np.testing.assert_allclose(refined["coordinates"], mean_coordinates(tiny_model, tiny_images, tokens, 3), atol=1e-4)
    assert np.abs(refined["coordinates"] - on_bins).max() > 0.02


def test_coordinates_are_refined_by_default_where_the_grammar_is_followed(build_tiny_model, tiny_images):
    model = build_tiny_model(2, vocabulary=Vocabulary(3, 101))  # 0.02 is two bins
    decode = lambda **options: model.generate(tiny_images, max_objects=1, **options)

    published, default = decode(constrained=False), decode()

    bins = np.clip(published["tokens"].numpy()[:, None, :4] - 6, 0, 100)
    np.testing.assert_allclose(np.clip(published["coordinates"], 0, 1), dequantize(bins, 101), atol=1e-6)
    bins = default["tokens"].numpy()[:, None, :4] - 6
    assert 1e-4 < np.abs(default["coordinates"] - dequantize(bins, 101)).max() <= 0.02


def test_the_box_of_a_prompt_is_not_refined(tiny_model, tiny_images):
    box = np.tile([[7, 8, 15, 19]], (8, 1))

    sequences = tiny_model.generate(tiny_images, max_objects=1, prompt=box, coordinate_window=0.3)

    np.testing.assert_allclose(sequences["coordinates"], np.tile([[[1, 2, 9, 13]]], (8, 1, 1)) / 15, atol=1e-6)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_beams_find_likelier_sequences_than_greedy(tiny_model, tiny_images, jit_compile):
    greedy = tiny_model.generate(tiny_images, sampler="greedy")
    one = tiny_model.generate(tiny_images, sampler=samplers.BeamSearch(1), jit_compile=jit_compile)
    four = tiny_model.generate(tiny_images, sampler="beam_search", jit_compile=jit_compile)

    np.testing.assert_array_equal(one["tokens"], greedy["tokens"])
    sums = [one["log_probs"].numpy().sum(-1) for one in (greedy, four)]
    assert (sums[1] >= sums[0] - 1e-4).mean() > 0.8 and sums[1].mean() > sums[0].mean()
    np.testing.assert_allclose(four["beam_scores"][:, 0], sums[1], atol=1e-4)
    assert four["beam_tokens"].shape == (8, 4, 20)
    # The best sequence has the probabilities that it has as a prompt.
    again = tiny_model.generate(tiny_images, sampler="greedy", prompt=four["tokens"])
    np.testing.assert_allclose(again["log_probs"], four["log_probs"], atol=1e-4)
    np.testing.assert_allclose(again["class_probabilities"], four["class_probabilities"], atol=1e-4)


def test_beams_after_a_prompt_count_it_and_missing_candidates_are_zeros(tiny_model, tiny_images):
    box = np.tile([[7, 8, 15, 19]], (8, 1))

    sequences = tiny_model.generate(tiny_images, max_objects=1, prompt=box, sampler=samplers.BeamSearch(6))

    scores, tokens = sequences["beam_scores"].numpy(), sequences["beam_tokens"].numpy()
    np.testing.assert_allclose(scores[:, 0], sequences["log_probs"].numpy().sum(-1), atol=1e-4)
    assert np.isfinite(scores[:, :4]).all() and np.isneginf(scores[:, 4:]).all()  # three classes and noise
    assert not tokens[:, 4:].any()
    assert all(len(np.unique(labels)) == 4 for labels in tokens[:, :4, 4])


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_decodes_on_every_path(build_tiny_model, tiny_images, dtype):
    model = build_tiny_model(0, dtype=dtype)
    whole = model.generate(tiny_images, sampler="greedy")

    prompted = model.generate(tiny_images, sampler="greedy", prompt=whole["tokens"][:, :5])
    compiled = model.generate(tiny_images, sampler="greedy", jit_compile=True)
    beams = model.generate(tiny_images, sampler=samplers.BeamSearch(2))

    for other in (prompted, compiled):  # rounding differs from path to path
        assert (other["tokens"] == whole["tokens"]).numpy().mean() > 0.7
    assert np.isfinite(beams["beam_scores"]).all()
    assert len(list(model.stream(tiny_images[0], sampler="greedy"))) == 4


def test_the_end_comes_only_between_objects_whatever_its_bias(tiny_model, tiny_images):
    prompt = np.full((8, 1), 9)

    sequences = tiny_model.generate(
        tiny_images, sampler="greedy", stop_at_end=True, end_bias=np.float32(1e9), prompt=prompt
    )

    tokens = sequences["tokens"].numpy()
    assert (tokens[:, :5] > 0).all() and not tokens[:, 5:].any()

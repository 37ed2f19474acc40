"""Reading out with a whole model: ways that must agree, prompts, the end's bias, beams, XLA."""

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras import InputError, Vocabulary, samplers
from pix2seq_keras.models.generation import Options, make_decoder, make_options
from pix2seq_keras.vocabulary import dequantize

KEYS = {"tokens", "log_probs", "classes", "class_scores", "coordinates", "coordinate_scores", "class_probabilities"}


def redraw(model, rng):
    """Other weights for a model whose functions are compiled already."""
    for weight in model.decoder.trainable_weights + model.embedding.trainable_weights:
        weight.assign(rng.permutation(np.asarray(weight).reshape(-1)).reshape(weight.shape))


def uncached_logits(model, images, tokens):
    shown = np.concatenate([np.full((len(tokens), 1), model.vocabulary.start_token), tokens[:, :-1]], 1)
    return model({"images": images, "tokens": shown}, training=False).numpy()


def stable_prefix(model, images, tokens):
    """bool (B, L): before any position whose two best tokens are nearly equal."""
    best = np.sort(uncached_logits(model, images, tokens), -1)[..., -2:]
    return np.cumsum(best[..., 1] - best[..., 0] < 1e-4, -1) == 0


def test_greedy_tokens_are_the_uncached_arg_max_in_forty_draws(build_tiny_model, tiny_images):
    models = [
        build_tiny_model(0),
        build_tiny_model(1, decoder_layers=2),
        build_tiny_model(2, decoder_dim=24, decoder_heads=3, embedding_scale=None),
    ]
    read, spoken = 0, set()
    for draw in range(42):
        rng, model = np.random.default_rng(draw), models[draw % 3]
        redraw(model, rng)
        images = tiny_images[rng.permutation(8)[: rng.integers(1, 9)]]

        tokens = model.generate(images, sampler="greedy", constrained=False)["tokens"].numpy()

        expected, stable = uncached_logits(model, images, tokens).argmax(-1), stable_prefix(model, images, tokens)
        np.testing.assert_array_equal(tokens[stable], expected[stable])
        read += stable.sum()
        spoken.update(tokens.ravel())
    assert read > 0.95 * 42 * 4.5 * 20 and len(spoken) > 15  # nearly all compared, and not always the same word


@pytest.mark.parametrize("sampler", ["greedy", samplers.TopP(0.9)])
def test_batches_and_xla_read_the_same(build_tiny_model, tiny_images, sampler):
    model, seeds = build_tiny_model(1, decoder_layers=2), np.arange(8)
    options = {"sampler": sampler, "stop_at_end": True}
    together = model.generate(tiny_images, seed=seeds, **options)

    same = []
    for size in (1, 3, 8):
        for jit_compile in (False, True):
            for start in range(0, 9 - size, size):
                rows = slice(start, start + size)
                read = model.generate(tiny_images[rows], seed=seeds[rows], jit_compile=jit_compile, **options)
                alike = (read["tokens"] == together["tokens"][rows]).numpy().all(-1)
                scores, expected = (one["class_scores"].numpy() for one in (read, together))
                np.testing.assert_allclose(scores[alike], expected[rows][alike], atol=1e-4)
                same += alike.tolist()

    assert len(same) == 2 * (8 + 6 + 8)
    assert np.mean(same) >= 0.995  # a near tie may fall either way; of these none does


def test_a_cache_that_grows_reads_the_same(tiny_model, tiny_images):
    options = Options(max_objects=4, sampler=samplers.Greedy())
    encoded = tiny_model.encode(tiny_images)
    no_prompt, seeds = tf.zeros([8, 0], tf.int32), tf.zeros([8], tf.int32)

    whole, grown, compiled = (
        make_decoder(tiny_model, options, jit_compile, 0, lengths)(encoded, seeds, no_prompt)
        for jit_compile, lengths in ((False, [20]), (False, [3, 7, 12, 20]), (True, [6, 11, 17, 20]))
    )

    assert set(whole) == KEYS
    for name in KEYS:
        np.testing.assert_allclose(grown[name], whole[name], atol=1e-5, err_msg=name)
        np.testing.assert_allclose(compiled[name], whole[name], atol=1e-5, err_msg=name)


def test_the_graph_holds_no_xla_op(tiny_model):
    options = Options(max_objects=4, sampler=samplers.TopP())

    graph = make_decoder(tiny_model, options).get_concrete_function().graph.as_graph_def()

    ops = {node.op for function in graph.library.function for node in function.node_def}
    assert "StatelessWhile" in ops or "While" in ops
    assert not [op for op in ops if op.startswith("Xla")]


def test_one_graph_serves_every_batch(tiny_model, tiny_images):
    function = tiny_model.decoder_function(make_options(tiny_model, 4, samplers.TopK(3), True, False, 0.0))
    for size in (1, 3, 8):
        tiny_model.generate(tiny_images[:size], sampler=samplers.TopK(3))

    assert function.experimental_get_tracing_count() == 1


# ---- Prompts ----


@pytest.mark.parametrize("constrained", [True, False])
@pytest.mark.parametrize("length", [1, 4, 5, 13, 20])
def test_a_sequence_goes_on_as_it_would_have(tiny_model, tiny_images, constrained, length):
    options = {"sampler": samplers.TopP(0.9), "seed": np.arange(8), "constrained": constrained}
    whole = tiny_model.generate(tiny_images, **options)

    read = tiny_model.generate(tiny_images, prompt=whole["tokens"][:, :length], **options)

    np.testing.assert_array_equal(read["tokens"], whole["tokens"])
    for name in set(read) - {"tokens"}:
        np.testing.assert_allclose(read[name], whole[name], atol=1e-4, err_msg=name)


def test_a_box_as_prompt_is_asked_for_its_class(tiny_model, tiny_images):
    box = np.tile([[7, 8, 15, 19]], (8, 1))

    read = tiny_model.generate(tiny_images, max_objects=1, prompt=box, sampler="greedy")

    assert read["tokens"].numpy()[:, :4].tolist() == box.tolist()
    shown = np.concatenate([np.full((8, 1), 1), box], 1)
    logits = tiny_model({"images": tiny_images, "tokens": shown}).numpy()[:, 4]
    expected = np.exp(logits[:, 3:6]) / np.exp(logits[:, [0, 2, 3, 4, 5]]).sum(-1, keepdims=True)
    np.testing.assert_allclose(read["class_probabilities"][:, 0], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("prompt", "says"),
    [
        (np.zeros((8, 2), np.float32), "integer array"),
        (np.full((3, 2), 7), "one row an image"),
        (np.full(8, 7), "one row an image"),
        ([[7, 8], [7]], "one row an image"),
        (np.full((8, 21), 7), "at most 20"),
        (np.tile([[7, 3]], (8, 1)), "Token 3 cannot stand at position 1"),
        (np.tile([[9, 7, 8]], (8, 1)), "Token 8 cannot stand at position 2"),
        (np.tile([[7, 7, 7, 7, 9]], (8, 1)), "Token 9 cannot stand at position 4"),
        (np.full((8, 1), 0), "Token 0 cannot stand"),
    ],
)
def test_senseless_prompts_are_refused(tiny_model, tiny_images, prompt, says):
    with pytest.raises(InputError, match=says):
        tiny_model.generate(tiny_images, prompt=prompt)


# ---- The end ----


def test_the_end_bias_delays_the_end_and_leaves_the_scores(tiny_model, tiny_images):
    def read(end_bias):
        options = {"sampler": "greedy", "stop_at_end": True, "end_bias": end_bias}
        return {name: value.numpy() for name, value in tiny_model.generate(tiny_images, **options).items()}

    objects = [(read(bias)["tokens"] != 0).sum() // 5 for bias in (-100.0, -2.0, 2.0, 100.0)]

    assert objects[0] == 32 and objects[3] == 0
    assert objects == sorted(objects, reverse=True)
    never = tiny_model.generate(tiny_images, sampler="greedy", stop_at_end=True, end_bias=-1e9)
    np.testing.assert_allclose(never["log_probs"], read(-100.0)["log_probs"], atol=1e-5)


@pytest.mark.parametrize("end_bias", [float("nan"), float("inf"), "much", None])
def test_a_senseless_end_bias_is_refused(tiny_model, tiny_images, end_bias):
    with pytest.raises(InputError, match="end_bias must be a finite number"):
        tiny_model.generate(tiny_images, end_bias=end_bias)


# ---- Scores and beams ----


def test_coordinate_scores_are_the_mean_likelihoods_of_four_tokens(tiny_model, tiny_images):
    read = tiny_model.generate(tiny_images, sampler=samplers.TopP(0.9), stop_at_end=True, seed=3)

    tokens = read["tokens"].numpy().reshape(8, 4, 5)
    expected = np.exp(read["log_probs"].numpy().reshape(8, 4, 5)[..., :4].mean(-1))
    ended = tokens[..., 0] == 0
    np.testing.assert_allclose(read["coordinate_scores"], np.where(ended, 0, expected), atol=1e-6)


def mean_coordinates(model, images, tokens, reach):
    """(8, 4, 4): the mean of the bins no further than `reach` from those read, by the whole model's own likelihoods."""
    logits = np.float64(uncached_logits(model, images, tokens)).reshape(8, 4, 5, -1)[:, :, :4, 6:22]
    bins, read = np.arange(16), tokens.reshape(8, 4, 5)[..., :4, None] - 6
    earlier = np.concatenate([np.zeros_like(read[:, :, :2]), read[:, :, :2]], 2)  # ymax ≥ ymin, xmax ≥ xmin
    weights = np.where((np.abs(bins - read) <= reach) & (bins >= earlier), np.exp(logits), 0)
    edges = (weights * bins).sum(-1) / weights.sum(-1) / 15
    return np.concatenate([edges[..., :2], np.maximum(edges[..., 2:], edges[..., :2])], -1)


@pytest.mark.parametrize("sampler", [samplers.TopP(0.9), samplers.BeamSearch(2)])
def test_coordinates_are_means_around_the_tokens_which_stay_as_they_are(tiny_model, tiny_images, sampler):
    options = {"sampler": sampler, "seed": 3}
    plain = tiny_model.generate(tiny_images, coordinate_window=0, **options)

    read = tiny_model.generate(tiny_images, coordinate_window=0.2, **options)  # three bins of 16

    tokens = read["tokens"].numpy()
    np.testing.assert_array_equal(tokens, plain["tokens"])
    np.testing.assert_array_equal(read["class_probabilities"], plain["class_probabilities"])
    on_bins = dequantize(tokens.reshape(8, 4, 5)[..., :4] - 6, 16)
    np.testing.assert_allclose(plain["coordinates"], on_bins, atol=1e-6)
    np.testing.assert_allclose(read["coordinates"], mean_coordinates(tiny_model, tiny_images, tokens, 3), atol=1e-4)
    assert np.abs(read["coordinates"] - on_bins).max() > 0.02


def test_a_published_reading_has_no_means_and_a_constrained_one_a_narrow_window(build_tiny_model, tiny_images):
    model = build_tiny_model(2, vocabulary=Vocabulary(3, 101))  # 0.02 is two bins
    read = lambda **options: model.generate(tiny_images, max_objects=2, **options)["coordinates"].numpy()

    np.testing.assert_array_equal(read(constrained=False), read(constrained=False, coordinate_window=0))
    np.testing.assert_array_equal(read(), read(coordinate_window=0.02))
    assert np.abs(read() - read(coordinate_window=0)).max() > 1e-4


def test_a_given_box_is_taken_exactly(tiny_model, tiny_images):
    box = np.tile([[7, 8, 15, 19]], (8, 1))

    read = tiny_model.generate(tiny_images, max_objects=1, prompt=box, coordinate_window=0.3)

    np.testing.assert_allclose(read["coordinates"], np.tile([[[1, 2, 9, 13]]], (8, 1, 1)) / 15, atol=1e-6)


@pytest.mark.parametrize("window", [-0.1, 1.1, float("nan"), "wide"])
def test_a_senseless_window_is_refused(tiny_model, tiny_images, window):
    with pytest.raises(InputError, match="coordinate_window must lie between 0 and 1"):
        tiny_model.generate(tiny_images, coordinate_window=window)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_beams_find_likelier_sequences_than_greedy(tiny_model, tiny_images, jit_compile):
    greedy = tiny_model.generate(tiny_images, sampler="greedy")
    one = tiny_model.generate(tiny_images, sampler=samplers.BeamSearch(1), jit_compile=jit_compile)
    four = tiny_model.generate(tiny_images, sampler="beam_search", jit_compile=jit_compile)

    np.testing.assert_array_equal(one["tokens"], greedy["tokens"])
    sums = [read["log_probs"].numpy().sum(-1) for read in (greedy, four)]
    assert (sums[1] >= sums[0] - 1e-4).mean() > 0.8 and sums[1].mean() > sums[0].mean()
    np.testing.assert_allclose(four["beam_scores"][:, 0], sums[1], atol=1e-4)
    assert four["beam_tokens"].shape == (8, 4, 20)
    # What beam search says of its best sequence is what the whole model says of it.
    again = tiny_model.generate(tiny_images, sampler="greedy", prompt=four["tokens"])
    np.testing.assert_allclose(again["log_probs"], four["log_probs"], atol=1e-4)
    np.testing.assert_allclose(again["class_probabilities"], four["class_probabilities"], atol=1e-4)


def test_a_beam_after_a_prompt_counts_it_and_leaves_out_what_does_not_exist(tiny_model, tiny_images):
    box = np.tile([[7, 8, 15, 19]], (8, 1))

    read = tiny_model.generate(tiny_images, max_objects=1, prompt=box, sampler=samplers.BeamSearch(6))

    scores, tokens = read["beam_scores"].numpy(), read["beam_tokens"].numpy()
    np.testing.assert_allclose(scores[:, 0], read["log_probs"].numpy().sum(-1), atol=1e-4)
    assert np.isfinite(scores[:, :4]).all() and np.isneginf(scores[:, 4:]).all()  # three classes and noise
    assert not tokens[:, 4:].any()
    assert all(len(np.unique(labels)) == 4 for labels in tokens[:, :4, 4])


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_reads_out_on_every_path(build_tiny_model, tiny_images, dtype):
    model = build_tiny_model(0, dtype=dtype)
    whole = model.generate(tiny_images, sampler="greedy")

    prompted = model.generate(tiny_images, sampler="greedy", prompt=whole["tokens"][:, :5])
    compiled = model.generate(tiny_images, sampler="greedy", jit_compile=True)
    beams = model.generate(tiny_images, sampler=samplers.BeamSearch(2))

    for other in (prompted, compiled):  # rounding differs from path to path
        assert (other["tokens"] == whole["tokens"]).numpy().mean() > 0.7
    assert np.isfinite(beams["beam_scores"]).all()
    assert len(list(model.stream(tiny_images[0], sampler="greedy"))) == 4


def test_the_end_stays_between_objects_whatever_its_bias(tiny_model, tiny_images):
    prompt = np.full((8, 1), 9)

    read = tiny_model.generate(tiny_images, sampler="greedy", stop_at_end=True, end_bias=np.float32(1e9), prompt=prompt)

    tokens = read["tokens"].numpy()
    assert (tokens[:, :5] > 0).all() and not tokens[:, 5:].any()


@pytest.mark.parametrize(
    "sampler",
    [samplers.TopP, lambda: samplers.TopP("0.4"), lambda: samplers.BeamSearch(2.5), lambda: samplers.TopK(2, 1e9)],
)
def test_senseless_samplers_are_refused(tiny_model, tiny_images, sampler):
    with pytest.raises(InputError, match="Received"):
        tiny_model.generate(tiny_images, sampler=sampler if isinstance(sampler, type) else sampler())

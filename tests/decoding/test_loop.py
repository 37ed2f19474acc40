"""The decoding loop: with a step that follows a script, and with random tiny models."""

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras import Vocabulary, samplers
from pix2seq_keras.sequences import class_scores

VOCABULARY = Vocabulary(num_classes=3, num_bins=16)  # classes 3 4 5, coordinates 6 … 21
MODES = [(False, False), (True, False), (False, True), (True, True)]


def scripted(script):
    """A step that favours script[row, position], and a cache that counts the steps."""
    script = tf.constant(script)

    def step(token, position, cache):
        return 9.0 * tf.one_hot(script[:, position], VOCABULARY.size), cache + 1

    return step, tf.zeros((), tf.int32)


@pytest.fixture
def decode_script(run_loop):
    def decode(script, constrained=False, stop_at_end=False):
        rows, length = np.shape(script)
        seeds = tf.zeros([rows], tf.int32)
        options = {"max_objects": length // 5, "constrained": constrained, "stop_at_end": stop_at_end}
        return run_loop(*scripted(script), VOCABULARY, seeds, sampler="greedy", **options)

    return decode


def teacher_forced(model, images, tokens):
    """Uncached logits (B, L, V) that lead to `tokens`."""
    inputs = np.concatenate([np.full((len(tokens), 1), model.vocabulary.start_token), tokens[:, :-1]], 1)
    return model({"images": images, "tokens": inputs}, training=False).numpy()


def allowed(vocabulary, position, tokens, stop_at_end):
    """What the grammar allows at a position, in plain Python."""
    place = position % 5
    if place == 4:
        return [vocabulary.noise_token, *vocabulary.class_tokens]
    first = tokens[position - 2] if place >= 2 else vocabulary.coord_shift
    bins = list(range(first, vocabulary.coord_shift + vocabulary.num_bins))
    return [0, *bins] if place == 0 and stop_at_end else bins


def log_softmax(logits):
    logits = np.float64(logits)
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


# ---- A script ----

SCRIPT = [[6, 7, 8, 9, 3, 10, 11, 12, 13, 5], [6, 6, 21, 21, 4, 0, 7, 8, 9, 3], [0, 7, 9, 9, 3, 6, 6, 6, 6, 3]]


def test_the_script_is_decoded_with_its_log_probabilities(decode_script):
    result = decode_script(SCRIPT)

    assert result["tokens"].tolist() == SCRIPT
    share = np.exp(9) / (np.exp(9) + VOCABULARY.size - 1)
    np.testing.assert_allclose(result["log_probs"], np.log(share), rtol=1e-4)
    assert result["classes"][:, 0].tolist() == [0, 1, 0]
    np.testing.assert_allclose(result["class_scores"], share, rtol=1e-4)


def test_without_stopping_tokens_after_an_end_are_decoded_too(decode_script):
    assert decode_script(SCRIPT)["tokens"][2].tolist() == SCRIPT[2]


def test_after_its_end_a_row_is_zeros_while_others_go_on(decode_script):
    result = decode_script(SCRIPT, stop_at_end=True)

    assert result["tokens"].tolist() == [SCRIPT[0], SCRIPT[1][:5] + [0] * 5, [0] * 10]
    # The end token itself was decoded and has a probability; nothing after it was.
    assert (result["log_probs"] < 0).sum(-1).tolist() == [10, 6, 1]
    assert result["class_scores"][1, 1] == 0 and (result["class_scores"][2] == 0).all()


def test_the_loop_stops_when_all_rows_are_finished(run_loop):
    steps = []

    def step(token, position, cache):
        tf.py_function(lambda position: steps.append(int(position)), [position], [])
        return 9.0 * tf.one_hot(tf.gather([[6, 0], [6, 6], [0, 7]], tf.minimum(position, 2)), VOCABULARY.size), cache

    options = {"max_objects": 4, "sampler": "greedy", "constrained": False, "stop_at_end": True}
    run_loop(step, tf.zeros(()), VOCABULARY, tf.zeros([2], tf.int32), **options)

    assert steps == [0, 1, 2]


def test_the_step_is_given_the_previous_token_and_its_own_cache(run_loop):
    def step(token, position, cache):
        seen, count = cache
        seen = tf.tensor_scatter_nd_update(seen, [[position]], [token[0]])
        favoured = tf.where(position % 5 == 4, 3 + position // 5, 6 + position)
        return 9.0 * tf.one_hot(favoured[None], VOCABULARY.size) + 0.0 * tf.cast(count, tf.float32), (seen, count + 1)

    outside = {}

    def spy(token, position, cache):
        logits, cache = step(token, position, cache)
        outside["cache"] = cache
        return logits, cache

    cache = tf.zeros([10], tf.int32), tf.constant(0)
    result = run_loop(
        spy, cache, VOCABULARY, tf.zeros([1], tf.int32), max_objects=2, sampler="greedy", constrained=False
    )

    seen, count = outside["cache"]
    assert count.numpy() == 10
    assert seen.numpy().tolist() == [VOCABULARY.start_token, *result["tokens"][0, :-1]]


def test_the_grammar_keeps_objects_well_formed_whatever_the_logits(decode_script):
    script = [[3, 9, 1, 8, 20] * 2]  # a class for ymin, the start for ymax, xmax below xmin, a coordinate as class

    tokens = decode_script(script, constrained=True)["tokens"].reshape(2, 5)

    # The first allowed token of equal logits: ymin 6, xmin 9, then not below them, then noise.
    assert tokens.tolist() == [[6, 9, 6, 9, 2]] * 2


# ---- Random models ----


@pytest.mark.parametrize(("constrained", "stop_at_end"), MODES)
def test_log_probabilities_and_scores_are_those_of_the_uncached_model(
    tiny_model, tiny_images, constrained, stop_at_end
):
    vocabulary = tiny_model.vocabulary
    options = {"sampler": samplers.TopP(0.9), "constrained": constrained, "stop_at_end": stop_at_end}

    result = tiny_model.generate(tiny_images, seed=np.arange(8), **options)

    tokens = result["tokens"].numpy()
    logits = teacher_forced(tiny_model, tiny_images, tokens)
    # A sequence is decoded up to its end token. (A log-probability of 0 does not show that: a token may be the only one
    # that is allowed.)
    after_end = (np.cumsum(tokens == 0, -1) - (tokens == 0) > 0) if stop_at_end else np.zeros(tokens.shape, bool)
    decoded = ~after_end
    classes, scores = map(np.array, class_scores(logits[:, 4::5], vocabulary))
    if constrained:
        for row, position in np.ndindex(tokens.shape):
            forbidden = np.ones(vocabulary.size, bool)
            forbidden[allowed(vocabulary, position, tokens[row], stop_at_end)] = False
            if position % 5 == 4:
                real = logits[row, position, list(vocabulary.class_tokens)]
                others = logits[row, position, [0, vocabulary.noise_token]]
                shares = np.exp(real) / (np.exp(real).sum() + np.exp(others).sum())
                classes[row, position // 5], scores[row, position // 5] = shares.argmax(), shares.max()
            logits[row, position, forbidden] = -1e9
    expected = np.take_along_axis(log_softmax(logits), tokens[..., None], -1)[..., 0]
    np.testing.assert_allclose(result["log_probs"].numpy()[decoded], expected[decoded], atol=1e-4)
    class_decoded = decoded[:, 4::5]
    np.testing.assert_array_equal(result["classes"].numpy()[class_decoded], classes[class_decoded])
    np.testing.assert_allclose(result["class_scores"].numpy()[class_decoded], scores[class_decoded], atol=1e-4)
    assert not result["log_probs"].numpy()[after_end].any()
    assert not tokens[after_end].any()


def test_an_image_is_decoded_the_same_in_any_batch(tiny_model, tiny_images):
    options = {"sampler": samplers.TopP(0.9), "constrained": True, "stop_at_end": True}
    seeds = np.array([3, 1, 4, 1, 5, 9, 2, 6])

    together = tiny_model.generate(tiny_images, seed=seeds, **options)

    for size in (1, 3):
        for start in range(0, 8, size):
            rows = slice(start, start + size)
            part = tiny_model.generate(tiny_images[rows], seed=seeds[rows], **options)
            np.testing.assert_array_equal(part["tokens"], together["tokens"][rows])
            np.testing.assert_allclose(part["log_probs"], together["log_probs"][rows], atol=1e-5)


def test_the_seed_decides_the_sampled_sequence(tiny_model, tiny_images):
    generate = lambda seed: tiny_model.generate(tiny_images, sampler=samplers.TopP(0.9), seed=seed)["tokens"].numpy()

    one, again, other = generate(5), generate(5), generate(6)

    np.testing.assert_array_equal(one, again)
    assert (one != other).any(-1).sum() >= 6  # of eight images
    np.testing.assert_array_equal(generate(np.full(8, 5)), one)


def test_rows_of_one_image_with_seeds_of_their_own_differ(tiny_model, tiny_images):
    same = np.repeat(tiny_images[:1], 8, 0)

    tokens = tiny_model.generate(same, sampler=samplers.TopP(0.9), seed=np.arange(8))["tokens"].numpy()

    assert len(np.unique(tokens, axis=0)) >= 6

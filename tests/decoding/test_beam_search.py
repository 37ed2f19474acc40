"""Beam search, against all sequences of a small vocabulary."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras import Vocabulary, samplers

VOCABULARY = Vocabulary(num_classes=1, num_bins=2)  # end 0, start 1, noise 2, the class 3, coordinates 4 and 5
TABLE = np.random.default_rng(0).normal(size=(2, 10, 6, 6)).astype("float32") * 2  # image, position, token before


def step(token, position, cache):
    """Logits that depend on the image, the position, the token before and, through the cache, on the first token."""
    images, firsts = cache
    firsts = tf.where(position == 1, token, firsts)
    rows = tf.stack([images, tf.fill(tf.shape(token), position), token], -1)
    shift = tf.cast(firsts[:, None] * tf.range(VOCABULARY.size), tf.float32) * 0.1
    return tf.gather_nd(TABLE, rows) + shift, (images, firsts)


def reorder(cache, rows):
    return cache[0], tf.gather(cache[1], rows)


@pytest.fixture
def search(run_loop):
    def search(beams, max_objects=1, length_penalty=0.0, **options):
        images = tf.repeat(tf.range(2), beams)
        cache, seeds = (images, tf.zeros_like(images)), tf.zeros([2], tf.int32)
        options = {"max_objects": max_objects, "sampler": samplers.BeamSearch(beams, length_penalty), **options}
        return run_loop(step, cache, VOCABULARY, seeds, reorder=reorder, **options)

    return search


def log_softmax(logits):
    return logits - np.log(np.exp(logits).sum())


def every_sequence(image):
    """All well-formed objects with their log-probabilities, best first."""
    scored = []
    for ymin, xmin, ymax, xmax, label in itertools.product((4, 5), (4, 5), (4, 5), (4, 5), (2, 3)):
        if ymax < ymin or xmax < xmin:
            continue
        tokens, total, before, first = (ymin, xmin, ymax, xmax, label), 0.0, 1, 0
        for position, token in enumerate(tokens):
            first = tokens[0] if position else 0
            logits = TABLE[image, position, before] + 0.1 * first * np.arange(6)
            floor = {2: ymin, 3: xmin}.get(position, 4)
            allowed = [2, 3] if position == 4 else [bin_ for bin_ in (4, 5) if bin_ >= floor]
            total += dict(zip(allowed, log_softmax(logits[allowed]), strict=True))[token]
            before = token
        scored.append((total, tokens))
    return sorted(scored, reverse=True)


def test_with_enough_beams_every_sequence_is_ranked(search):
    found = search(beams=18)

    for image in range(2):
        expected = every_sequence(image)
        assert len(expected) == 18
        np.testing.assert_allclose(found["beam_scores"][image], [score for score, _ in expected], atol=1e-4)
        assert found["beam_tokens"][image].tolist() == [list(tokens) for _, tokens in expected]
        assert found["tokens"][image].tolist() == list(expected[0][1])
        assert found["log_probs"][image].sum() == pytest.approx(expected[0][0], abs=1e-4)


def test_one_beam_is_greedy(search, run_loop):
    cache = (tf.range(2), tf.zeros([2], tf.int32))
    greedy = run_loop(step, cache, VOCABULARY, tf.zeros([2], tf.int32), max_objects=2, sampler="greedy")

    found = search(beams=1, max_objects=2)

    for name in ("tokens", "log_probs", "classes", "class_scores", "class_probabilities"):
        np.testing.assert_allclose(found[name], greedy[name], atol=1e-6, err_msg=name)


def test_more_beams_never_find_a_less_likely_sequence(search):
    best = [search(beams, max_objects=2)["beam_scores"][:, 0] for beams in (1, 4, 300)]

    assert (best[0] <= best[1] + 1e-5).all() and (best[1] <= best[2] + 1e-5).all()
    assert (best[2] > best[0] + 1e-3).any()


def test_finished_candidates_stay_as_they_are(search):
    found = search(beams=6, max_objects=2, stop_at_end=True, constrained=False)

    tokens, ended = found["beam_tokens"], np.cumsum(found["beam_tokens"] == 0, -1) > 0
    assert ended.any() and not tokens[ended].any()
    assert (np.diff(found["beam_scores"], axis=-1) <= 1e-6).all()
    ended = np.cumsum(found["tokens"] == 0, -1)
    np.testing.assert_allclose(found["log_probs"].sum(-1), found["beam_scores"][:, 0], atol=1e-4)
    assert not found["log_probs"][ended > 1].any()  # the end token itself has a probability


def test_a_length_penalty_favours_longer_sequences(search):
    lengths = [
        (search(6, 2, penalty, stop_at_end=True, end_bias=1.0)["tokens"] != 0).sum() for penalty in (0.0, 1.0, 3.0)
    ]

    assert lengths[0] <= lengths[1] <= lengths[2] and lengths[0] < lengths[2]

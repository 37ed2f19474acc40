"""The arithmetic of the samplers, against a slow NumPy implementation and exact distributions."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pix2seq_keras import samplers
from pix2seq_keras.decoding import hashed_uniform

DRAWS = 2000


def softmax(logits):
    exponentials = np.exp(np.float64(logits) - np.max(logits))
    return exponentials / exponentials.sum()


def exact_top_k(logits, k, temperature=1.0):
    """Token probabilities of a draw from the k most likely tokens; the first of equals."""
    probabilities = softmax(np.asarray(logits) / temperature)
    kept = sorted(range(len(logits)), key=lambda token: (-probabilities[token], token))[:k]
    cut = np.zeros(len(logits))
    cut[kept] = probabilities[kept]
    return cut / cut.sum()


def exact_top_p(logits, p, temperature=1.0):
    """Token probabilities of a draw from the published nucleus, token by token."""
    probabilities = softmax(np.asarray(logits) / temperature)
    mass, smallest = 0.0, None
    for probability in sorted(probabilities, reverse=True):
        mass += probability
        if mass > p and smallest is not None:
            break
        smallest = probability
        if mass > p:
            break
    cut = np.where(probabilities >= smallest - 1e-12, probabilities, 0)
    return cut / cut.sum()


def sampled(sampler, logits, uniform=None):
    """Token frequencies over evenly spaced uniform numbers: exact to one draw a token."""
    uniform = (np.arange(DRAWS) + 0.5) / DRAWS if uniform is None else uniform
    rows = tf.tile(tf.constant([logits], tf.float32), [len(uniform), 1])
    tokens = sampler(rows, tf.constant(uniform, tf.float32)).numpy()
    assert tokens.dtype == np.int32
    return np.bincount(tokens, minlength=len(logits)) / len(uniform)


# Multiples of a quarter: ties are frequent, and exact in float32.
logit_rows = st.lists(st.integers(-12, 12).map(lambda n: n / 4), min_size=2, max_size=9)


def test_greedy_takes_the_first_of_the_most_likely():
    logits = tf.constant([[0.0, 3.0, 1.0, 3.0], [2.0, -1.0, 0.0, 0.0]])

    assert samplers.Greedy()(logits, tf.constant([0.99, 0.99])).numpy().tolist() == [1, 0]


@settings(max_examples=40, deadline=None)
@given(logit_rows, st.integers(0, 10), st.sampled_from([0.5, 1.0, 2.0]))
def test_top_k_draws_from_the_exact_distribution(logits, k, temperature):
    frequencies = sampled(samplers.TopK(k, temperature), logits)

    expected = exact_top_k(logits, k or len(logits), temperature)
    np.testing.assert_allclose(frequencies, expected, atol=1.5 / DRAWS)
    assert not frequencies[expected == 0].any()


@settings(max_examples=60, deadline=None)
@given(logit_rows, st.sampled_from([0.05, 0.3, 0.4, 0.77, 0.95]), st.sampled_from([0.5, 1.0, 2.0]))
def test_top_p_draws_from_the_exact_nucleus(logits, p, temperature):
    masses = np.cumsum(np.sort(softmax(np.array(logits) / temperature))[::-1])
    if np.abs(masses - p).min() < 1e-5:  # float32 may fall on either side
        return

    frequencies = sampled(samplers.TopP(p, temperature), logits)

    expected = exact_top_p(logits, p, temperature)
    np.testing.assert_allclose(frequencies, expected, atol=1.5 / DRAWS)
    assert not frequencies[expected == 0].any()


@pytest.mark.parametrize(
    ("probabilities", "p", "nucleus"),
    [
        ([0.5, 0.25, 0.15, 0.1], 0.4, [0]),  # the first alone is more than p, and is kept
        ([0.1, 0.15, 0.25, 0.5], 0.8, [2, 3]),  # 0.9 with the third is more than 0.8
        ([0.2, 0.2, 0.2, 0.2, 0.2], 0.5, [0, 1, 2, 3, 4]),  # two fit; the others tie with them
        ([0.4, 0.25, 0.25, 0.1], 0.7, [0, 1, 2]),  # 0.65 fits; the third ties with the second
        ([0.25, 0.25, 0.5], 0.1, [2]),
        ([0.3, 0.3, 0.4], 1.0, [0, 1, 2]),
    ],
)
def test_the_nucleus_of_worked_examples(probabilities, p, nucleus):
    frequencies = sampled(samplers.TopP(p), np.log(probabilities))

    assert np.flatnonzero(frequencies).tolist() == nucleus


@pytest.mark.parametrize(
    ("sampler", "exact"),
    [
        (samplers.TopK(3, 0.8), lambda logits: exact_top_k(logits, 3, 0.8)),
        (samplers.TopP(0.9, 1.3), lambda logits: exact_top_p(logits, 0.9, 1.3)),
        (samplers.TopP(1.0), softmax),
    ],
    ids=["top_k", "top_p", "everything"],
)
def test_hashed_numbers_draw_the_exact_distribution(sampler, exact):
    logits = np.array([0.3, -1.0, 1.2, 0.1, 0.9, -0.4])

    frequencies = sampled(sampler, logits, hashed_uniform(tf.range(6000), 12).numpy())

    expected = exact(logits)
    kept = expected > 0
    assert not frequencies[~kept].any()
    assert stats.chisquare(frequencies[kept] * 6000, expected[kept] * 6000).pvalue > 1e-3


@pytest.mark.parametrize("sampler", [samplers.Greedy(), samplers.TopK(4), samplers.TopP(0.8)], ids=repr)
def test_a_row_does_not_depend_on_the_rest_of_its_batch(sampler):
    rng = np.random.default_rng(0)
    logits, uniform = rng.normal(size=(20, 50)).astype(np.float32), rng.uniform(size=20).astype(np.float32)

    together = sampler(logits, uniform).numpy()

    alone = [sampler(logits[row : row + 1], uniform[row : row + 1]).numpy()[0] for row in range(20)]
    assert together.tolist() == alone


@pytest.mark.parametrize("uniform", [0.0, 2.0**-24, 1 - 2.0**-24, 1.0])
@pytest.mark.parametrize("sampler", [samplers.TopK(0), samplers.TopP(1.0)], ids=repr)
def test_forbidden_tokens_are_never_drawn_however_extreme_the_number(sampler, uniform):
    logits = np.full((1, 3000), -1e9, np.float32)
    logits[0, [7, 2000]] = [0.1, 0.2]

    assert sampler(tf.constant(logits), tf.constant([uniform])).numpy()[0] in (7, 2000)

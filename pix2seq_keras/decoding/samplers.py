"""How tokens are chosen from logits: a name or an object."""

import dataclasses
import numbers
from collections.abc import Hashable

import tensorflow as tf

from pix2seq_keras.errors import InputError


@dataclasses.dataclass(frozen=True)
class Greedy:
    """The most likely token; the first of equals.

    Call arguments, as of every sampler:
        logits: float32 tensor (B, V); what may not be chosen is −∞ or very negative.
        uniform: float32 tensor (B,) in (0, 1), the row's random number.

    Returns:
        int32 tensor (B,): places in the logits. Under the grammar these are the logits of what may come next only.
    """

    def __call__(self, logits, uniform):
        return tf.argmax(logits, -1, tf.int32)


@dataclasses.dataclass(frozen=True)
class TopK:
    """A draw from the k most likely tokens.

    Args:
        k: int ≥ 1, or 0 for all.
        temperature: float > 0, divides the logits.
    """

    k: int = 5
    temperature: float = 1.0

    def __post_init__(self):
        _check_temperature(self.temperature)
        if not isinstance(self.k, numbers.Integral) or self.k < 0:
            raise InputError(f"k must be at least 1, or 0 for all tokens. Received: k={self.k}")
        _as_floats(self, "temperature")

    def __call__(self, logits, uniform):
        size = logits.shape[-1]
        values, tokens = tf.math.top_k(logits / self.temperature, min(self.k or size, size))
        return _draw(tf.nn.softmax(values), tokens, uniform)


@dataclasses.dataclass(frozen=True)
class TopP:
    """A draw from the nucleus (Holtzman et al. 2020), as the published model does it.

    The nucleus is the largest set of most likely tokens whose mass, each token's own included, is at most p; at
    least the most likely token; and all tokens as likely as its least likely one.

    Args:
        p: float in (0, 1]; 1 draws from all tokens. The published model uses 0.4.
        temperature: float > 0, divides the logits.
    """

    p: float = 0.4
    temperature: float = 1.0

    def __post_init__(self):
        _check_temperature(self.temperature)
        if not _is_number(self.p) or not 0 < self.p <= 1:
            raise InputError(f"p must lie in (0, 1]. Received: p={self.p!r}")
        _as_floats(self, "p", "temperature")

    def __call__(self, logits, uniform):
        return nucleus(logits / self.temperature, uniform, None if self.p == 1 else self.p)


@dataclasses.dataclass(frozen=True)
class BeamSearch:
    """The likeliest whole sequence instead of the likeliest token: no sampler, but given in its place.

    Args:
        beams: int ≥ 1, how many candidates are followed; 1 is greedy.
        length_penalty: float ≥ 0. Candidates are ranked by their log-probability over length^length_penalty (Wu et al.
            2016, section 7): above 0 it favours longer ones, which matters where rows end at their end token.
    """

    beams: int = 4
    length_penalty: float = 0.0

    def __post_init__(self):
        if not isinstance(self.beams, numbers.Integral) or self.beams < 1:
            raise InputError(f"beams must be a whole number of at least 1. Received: beams={self.beams!r}")
        if not _is_number(self.length_penalty) or not 0 <= self.length_penalty < float("inf"):
            raise InputError(f"length_penalty must be at least 0. Received: length_penalty={self.length_penalty!r}")


SAMPLERS = {"greedy": Greedy, "top_k": TopK, "top_p": TopP, "beam_search": BeamSearch}


def get(sampler):
    """Resolves a sampler.

    Args:
        sampler: `"greedy"`, `"top_k"`, `"top_p"`, `"beam_search"`, an object of this module, or a callable
            (logits, uniform) -> places in the logits.

    Returns:
        The callable, or a `BeamSearch`.

    Raises:
        InputError: if the name is unknown.
    """
    if isinstance(sampler, type) or not isinstance(sampler, Hashable):
        raise InputError(
            f"A sampler is a name, an object such as samplers.TopP(0.4), or a hashable callable. Received: {sampler!r}"
        )
    if callable(sampler) or isinstance(sampler, BeamSearch):
        return sampler
    if not isinstance(sampler, str) or sampler not in SAMPLERS:
        raise InputError(f"Unknown sampler: {sampler!r}. Use one of {', '.join(SAMPLERS)}, or a callable.")
    return SAMPLERS[sampler]()


def nucleus(logits, uniform, p):
    """A draw from the nucleus; see `TopP`.

    Args:
        logits: float32 tensor (B, V).
        uniform: float32 tensor (B,) in (0, 1).
        p: float, float32 tensor (B, 1) with a value for each row, or `None` to draw from all tokens.

    Returns:
        int32 tensor (B,).
    """
    values, tokens = tf.math.top_k(logits, logits.shape[-1])
    probabilities = tf.nn.softmax(values)  # (B, V), descending
    if p is not None:
        inside = tf.cumsum(probabilities, -1) <= p
        kept = tf.maximum(tf.reduce_sum(tf.cast(inside, tf.int32), -1, keepdims=True), 1)
        smallest = tf.gather(probabilities, kept - 1, batch_dims=1)  # (B, 1)
        probabilities = tf.where(probabilities >= smallest, probabilities, 0.0)
    return _draw(probabilities, tokens, uniform)


def _draw(probabilities, tokens, uniform):
    """Inverse-CDF: the token in whose stretch of the (unnormalised) cumulative sum the number falls; (B,) int32."""
    cumulative = tf.cumsum(probabilities, -1)
    reached = cumulative < uniform[:, None] * cumulative[:, -1:]
    choice = tf.reduce_sum(tf.cast(reached, tf.int32), -1, keepdims=True)
    return tf.gather(tokens, choice, batch_dims=1)[:, 0]


def _check_temperature(temperature):
    # Far hotter, what the grammar forbids (a logit of -1e9) would be as likely as the rest.
    if not _is_number(temperature) or not 0 < temperature <= 1000:
        raise InputError(f"temperature must be positive and at most 1000. Received: temperature={temperature!r}")


def _as_floats(sampler, *names):
    """An exported model tells its sampler as text, in which 1, 1.0 and np.float64(1) should be one number."""
    for name in names:
        object.__setattr__(sampler, name, float(getattr(sampler, name)))


def _is_number(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool)

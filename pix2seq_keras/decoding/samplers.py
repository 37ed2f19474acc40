"""How the next token is chosen from its logits: samplers, by name or as objects.

This module holds names, parameters and checks and is free of TensorFlow; the arithmetic is in `token_sampling`.
"""

import dataclasses
import numbers
from collections.abc import Hashable

from pix2seq_keras.errors import InputError


@dataclasses.dataclass(frozen=True)
class Greedy:
    """The most likely token; the first of equals.

    Call arguments, as of every sampler:
        logits: float32 tensor (B, V); a forbidden token has −∞ or a very negative number.
        uniform: float32 tensor (B,) in (0, 1), a random number for each row.

    Returns:
        int32 tensor (B,), indices into the logits. With the grammar, the logits are those of the allowed tokens only.
    """

    deterministic = True

    def __call__(self, logits, uniform):
        from pix2seq_keras.decoding import token_sampling

        return token_sampling.most_likely(logits)


@dataclasses.dataclass(frozen=True)
class TopK:
    """A draw from the k most likely tokens (Fan et al. 2018).

    Args:
        k: int ≥ 1, or 0 for all tokens.
        temperature: float > 0, divides the logits.

    Raises:
        InputError: if a parameter is out of range.
    """

    k: int = 5
    temperature: float = 1.0

    def __post_init__(self):
        _check_temperature(self.temperature)
        if isinstance(self.k, bool) or not isinstance(self.k, numbers.Integral) or self.k < 0:
            raise InputError(f"`k` must be a whole number of at least 1, or 0 for all tokens. Received: k={self.k!r}")
        _convert(self, int, "k")
        _convert(self, float, "temperature")

    def __call__(self, logits, uniform):
        from pix2seq_keras.decoding import token_sampling

        return token_sampling.top_k(logits / self.temperature, uniform, self.k)


@dataclasses.dataclass(frozen=True)
class TopP:
    """A draw from the nucleus (Holtzman et al. 2020), as the published model does it.

    The nucleus is the largest set of most likely tokens whose mass, each token's own included, is at most p; at
    least the most likely token; and all tokens as likely as its least likely one.

    Args:
        p: float in (0, 1]; 1 draws from all tokens. The published model uses 0.4.
        temperature: float > 0, divides the logits.

    Raises:
        InputError: if a parameter is out of range.
    """

    p: float = 0.4
    temperature: float = 1.0

    def __post_init__(self):
        _check_temperature(self.temperature)
        if not _is_number(self.p) or not 0 < self.p <= 1:
            raise InputError(f"`p` must lie in (0, 1]. Received: p={self.p!r}")
        _convert(self, float, "p", "temperature")

    def __call__(self, logits, uniform):
        from pix2seq_keras.decoding import token_sampling

        return token_sampling.nucleus(logits / self.temperature, uniform, None if self.p == 1 else self.p)


@dataclasses.dataclass(frozen=True)
class BeamSearch:
    """The likeliest whole sequence instead of the likeliest token: not a sampler, but given in its place.

    Args:
        beams: int ≥ 1, how many candidates are followed; 1 is greedy.
        length_penalty: float ≥ 0. Candidates are ranked by their log-probability over length^length_penalty (Wu et al.
            2016, section 7): above 0 it favours longer ones, which matters where rows end at their end token.

    Raises:
        InputError: if a parameter is out of range.
    """

    beams: int = 4
    length_penalty: float = 0.0

    deterministic = True

    def __post_init__(self):
        if isinstance(self.beams, bool) or not isinstance(self.beams, numbers.Integral) or self.beams < 1:
            raise InputError(f"`beams` must be a whole number of at least 1. Received: beams={self.beams!r}")
        if not _is_number(self.length_penalty) or not 0 <= self.length_penalty < float("inf"):
            raise InputError(f"`length_penalty` must be at least 0. Received: length_penalty={self.length_penalty!r}")
        _convert(self, int, "beams")
        _convert(self, float, "length_penalty")


@dataclasses.dataclass(frozen=True)
class Custom:
    """A callable of somebody's own, as an exported file describes it: it can be compared, not called.

    Args:
        text: str, how the callable described itself when the file was written.
    """

    text: str = ""

    def __call__(self, logits, uniform):
        raise InputError(f"The sampler {self.text} is known by its description only: give the callable itself.")


SAMPLERS = {"greedy": Greedy, "top_k": TopK, "top_p": TopP, "beam_search": BeamSearch, "custom": Custom}
NAMES = tuple(name for name in SAMPLERS if name != "custom")


def get(sampler):
    """Resolves a sampler.

    Args:
        sampler: str, a name: `"greedy"`, `"top_k"`, `"top_p"` or `"beam_search"`; a dict of `"name"` and the sampler's
            parameters; an object of this module; or a hashable callable (logits, uniform) -> indices into the logits.

    Returns:
        The callable, or a `BeamSearch`.

    Raises:
        InputError: if the name or a parameter is unknown, or a parameter is out of range.

    Example:
        >>> get({"name": "top_p", "p": 0.8})
        TopP(p=0.8, temperature=1.0)
    """
    if isinstance(sampler, dict):
        return _from_dict(sampler)
    if isinstance(sampler, str):
        return _from_dict({"name": sampler})
    if isinstance(sampler, type) or not isinstance(sampler, Hashable) or not _is_sampler(sampler):
        raise InputError(
            f"`sampler` must be one of {', '.join(NAMES)}, a mapping with its name and parameters, an object such as "
            f"samplers.TopP(0.4), or a hashable callable. Received: sampler={sampler!r}"
        )
    return sampler


def to_dict(sampler):
    """The mapping that `get` turns into the sampler: `"name"` and its parameters.

    A callable that is not of this module becomes `{"name": "custom", "text": …}`.
    """
    for name, kind in SAMPLERS.items():
        if type(sampler) is kind:
            return {"name": name, **dataclasses.asdict(sampler)}
    return {"name": "custom", "text": repr(sampler)}


def is_deterministic(sampler):
    """Whether a sampler gives the same sequence for every seed: bool."""
    return getattr(sampler, "deterministic", False)


def _from_dict(values):
    parameters = dict(values)
    name = parameters.pop("name", None)
    if not isinstance(name, str) or name not in SAMPLERS or (name == "custom" and not parameters):
        received = values if name is None else name
        raise InputError(f"`sampler` must be one of {', '.join(NAMES)}, or a callable. Received: sampler={received!r}")
    known = [field.name for field in dataclasses.fields(SAMPLERS[name])]
    if unknown := [parameter for parameter in parameters if parameter not in known]:
        takes = f"takes {', '.join(known)}" if known else "takes no parameters"
        raise InputError(f"The sampler {name} {takes}. Received: {', '.join(map(str, unknown))}.")
    return SAMPLERS[name](**parameters)


def _is_sampler(sampler):
    return callable(sampler) or isinstance(sampler, BeamSearch)


def _check_temperature(temperature):
    # Far hotter, what the grammar forbids (a logit of -1e9) would be as likely as the rest.
    if not _is_number(temperature) or not 0 < temperature <= 1000:
        raise InputError(f"`temperature` must be positive and at most 1000. Received: temperature={temperature!r}")


def _convert(sampler, kind, *names):
    """Exported files store parameters: 1, 1.0 and np.float64(1) must be the same there."""
    for name in names:
        object.__setattr__(sampler, name, kind(getattr(sampler, name)))


def _is_number(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool)

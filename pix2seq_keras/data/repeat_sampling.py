"""Repeat-factor sampling (Gupta et al. 2019, LVIS, section 4): images with rare classes come more often."""

import dataclasses
import functools

import numpy as np
import tensorflow as tf

from pix2seq_keras.errors import InputError

# Whole numbers modulo 2²⁴ stand for phases in [0, 1): place + phase is then exact in float64 far beyond any epoch.
_PHASES = 1 << 24
_STEP = 10368889  # 2²⁴ over the golden ratio, odd: the phases of successive epochs fill [0, 1) evenly


def repeat_factors(classes, num_classes, threshold=0.001):
    """How often each image should come in an epoch: r = max(1, √(t / f)) with f of its rarest class.

    f(c), the frequency of a class, is the share of the images given that hold at least one object of it.

    Args:
        classes: sequence of int arrays (n,), one an image: the classes of its objects, in any order, crowds left
            out. It may be empty.
        num_classes: int, classes are 0 … num_classes − 1.
        threshold: float ≥ 0, t: classes on fewer than this share of the images are repeated. 0.001 is LVIS's; 0
            repeats nothing.

    Returns:
        float64 array (images,), at least 1.

    Raises:
        InputError: the threshold is negative, or a class is out of its range.

    Example:
    ```python
    repeat_factors([[0], [0], [0], [0, 1]], num_classes=2, threshold=1.0)  # [1, 1, 1, 2]
    ```
    """
    if not threshold >= 0:
        raise InputError(f"The threshold of repeat factors must not be negative. Received threshold={threshold}.")
    counts = np.array([len(of_one) for of_one in classes], np.int64)
    flat = np.concatenate([np.zeros(0, np.int64), *(np.asarray(of_one, np.int64) for of_one in classes)])
    if flat.size and not (flat.min() >= 0 and flat.max() < num_classes):
        raise InputError(
            f"Classes must lie in 0 … {num_classes - 1}. Received classes from {flat.min()} to {flat.max()}."
        )
    images = np.repeat(np.arange(len(counts)), counts)
    present = np.unique(images * num_classes + flat)  # each class of an image once
    images, flat = present // num_classes, present % num_classes
    frequencies = np.bincount(flat, minlength=num_classes) / max(len(counts), 1)
    of_classes = np.sqrt(threshold / np.maximum(frequencies, 1e-300))  # a class on no image is looked up by none
    factors = np.ones(len(counts))
    np.maximum.at(factors, images, of_classes[flat])
    return factors


@dataclasses.dataclass(frozen=True, eq=False)
class RepeatSchedule:
    """Which image stands at each place of an epoch, where images are repeated by fractional factors.

    The factors, laid end to end, are a ruler of length R = Σ r; an epoch reads it at M = ⌈R⌉ evenly spaced points
    (systematic sampling), shifted by a phase of its own. So:

    - an epoch has always the same length M, and what stands at a place is computed from (seed, epoch, place) alone:
      a position in the data stays one integer, and nothing is kept or replayed when resuming there;
    - in every epoch an image comes ⌊r′⌋ or ⌈r′⌉ times, r′ = r·M / R, and at least once;
    - phases of successive epochs follow the golden ratio: after E epochs it has come E·r′ times, give or take a few.

    With all factors 1, place p holds image p. Places are in the order of the images: shuffle them.

    Args:
        factors: float array (images,), each at least 1, from `repeat_factors`.
        seed: int, decides the phases.

    Raises:
        InputError: there are no factors, or one is below 1 or not finite.

    Example:
    ```python
    schedule = RepeatSchedule(repeat_factors(classes, num_classes), seed=0)
    schedule.images(tf.range(schedule.length, dtype=tf.int64), epoch=3)  # all places of an epoch
    ```
    """

    factors: np.ndarray
    seed: int = 0

    def __post_init__(self):
        factors = np.asarray(self.factors, np.float64)
        if factors.ndim != 1 or not factors.size or not np.isfinite(factors).all() or factors.min() < 1:
            raise InputError(
                "Repeat factors are a row of finite numbers of at least 1, one an image. "
                f"Received an array of shape {factors.shape}"
                + (f" with values from {factors.min()} to {factors.max()}." if factors.size else ".")
            )
        object.__setattr__(self, "factors", factors)

    @functools.cached_property
    def _ends(self):
        """float64 (images,): where each image's part of the ruler ends."""
        return np.cumsum(self.factors)

    @functools.cached_property
    def _first_phase(self):
        return int(np.random.default_rng(self.seed % (1 << 63)).integers(_PHASES))

    @property
    def length(self):
        """int: places in an epoch, M = ⌈Σ r⌉."""
        return int(np.ceil(self._ends[-1]))

    def images(self, places, epoch):
        """The images at some places of an epoch; works in a graph, such as that of `tf.data`.

        Args:
            places: int64 tensor of any shape, 0 … length − 1.
            epoch: int, or int64 scalar tensor, ≥ 0.

        Returns:
            int64 tensor of that shape: indices of images.
        """
        epoch = tf.cast(epoch, tf.int64) % _PHASES  # the product stays far below 2⁶³
        phase = tf.cast((self._first_phase + epoch * _STEP) % _PHASES, tf.float64) / _PHASES
        points = (tf.cast(places, tf.float64) + phase) * (self._ends[-1] / self.length)
        found = tf.searchsorted(tf.constant(self._ends), tf.reshape(points, [-1]), side="right", out_type=tf.int64)
        # The last point lies within rounding of the ruler's end.
        return tf.reshape(tf.minimum(found, len(self.factors) - 1), tf.shape(places))

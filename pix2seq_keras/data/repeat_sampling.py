"""Repeat factor sampling (Gupta et al. 2019, "LVIS", section 4): images with rare classes come more often."""

import dataclasses
import functools

import numpy as np
import tensorflow as tf

from pix2seq_keras.errors import InputError

# Phases in [0, 1) are integers modulo 2²⁴: place + phase is then exact in float64 for any epoch length.
_PHASES = 1 << 24
_STEP = 10368889  # 2²⁴ over the golden ratio, odd: the phases of successive epochs cover [0, 1) evenly


def repeat_factors(classes, num_classes, threshold=0.001):
    """How often each image should come in an epoch: r = max(1, √(t / f)), with f of its rarest class.

    f(c), the frequency of a class, is the share of the images with at least one object of it.

    Args:
        classes: sequence of int arrays (n,), one per image: the classes of its objects, in any order, without crowds.
            It may be empty.
        num_classes: int, classes are 0 … num_classes − 1.
        threshold: float ≥ 0, t: classes on fewer than this share of the images are repeated. Defaults to 0.001, as
            for LVIS. 0 repeats nothing.

    Returns:
        float64 array (images,), at least 1.

    Raises:
        InputError: if the threshold is negative, or a class is out of its range.

    Example:
        >>> repeat_factors([[0], [0], [0], [0, 1]], num_classes=2, threshold=1.0)
        array([1., 1., 1., 2.])
    """
    if not threshold >= 0:
        raise InputError(f"`threshold` must be at least 0. Received: threshold={threshold}")
    counts = np.array([len(of_image) for of_image in classes], np.int64)
    flat = np.concatenate([np.zeros(0, np.int64), *(np.asarray(of_image, np.int64) for of_image in classes)])
    if flat.size and not (flat.min() >= 0 and flat.max() < num_classes):
        raise InputError(
            f"`classes` must be in 0 … {num_classes - 1}. Received: classes from {flat.min()} to {flat.max()}"
        )
    images = np.repeat(np.arange(len(counts)), counts)
    present = np.unique(images * num_classes + flat)  # each class once per image
    images, flat = present // num_classes, present % num_classes
    frequencies = np.bincount(flat, minlength=num_classes) / max(len(counts), 1)
    class_factors = np.sqrt(threshold / np.maximum(frequencies, 1e-300))  # classes on no image are not used below
    factors = np.ones(len(counts))
    np.maximum.at(factors, images, class_factors[flat])
    return factors


@dataclasses.dataclass(frozen=True, eq=False)
class RepeatSchedule:
    """Which image is at each place of an epoch, when images are repeated by fractional factors.

    This is systematic sampling. The factors, placed end to end, form a line of length R = Σ r. An epoch samples it at
    M = ⌈R⌉ evenly spaced points, shifted by a phase that depends on the epoch. Therefore:

    - an epoch always has the length M, and the image at a place is computed from (seed, epoch, place) alone: a
      position in the data is one integer, and resuming there needs no state;
    - an image comes ⌊r′⌋ or ⌈r′⌉ times in an epoch, with r′ = r·M / R, and at least once;
    - phases of successive epochs are multiples of the golden ratio: after E epochs an image has come E·r′ times, up to
      a small constant.

    If all factors are 1, image p is at place p. Places are in the order of the images: shuffle them.

    Args:
        factors: float array (images,), each at least 1, from `repeat_factors`.
        seed: int, decides the phases. Defaults to 0.

    Raises:
        InputError: if there are no factors, or one is below 1 or not finite.

    Example:
        >>> schedule = RepeatSchedule(repeat_factors([[0], [0], [0], [0, 1]], 2, threshold=1.0), seed=0)
        >>> sorted(schedule.images(tf.range(schedule.length, dtype=tf.int64), epoch=3).numpy().tolist())
        [0, 1, 2, 3, 3]
    """

    factors: np.ndarray
    seed: int = 0

    def __post_init__(self):
        factors = np.asarray(self.factors, np.float64)
        if factors.ndim != 1 or not factors.size or not np.isfinite(factors).all() or factors.min() < 1:
            raise InputError(
                "`factors` must be finite numbers of at least 1, one per image. "
                f"Received: an array of shape {factors.shape}"
                + (f" with values from {factors.min()} to {factors.max()}" if factors.size else "")
            )
        object.__setattr__(self, "factors", factors)

    @functools.cached_property
    def _ends(self):
        """float64 (images,): where each image's part of the line ends."""
        return np.cumsum(self.factors)

    @functools.cached_property
    def _first_phase(self):
        return int(np.random.default_rng(self.seed % (1 << 63)).integers(_PHASES))

    @property
    def length(self):
        """int: number of places in an epoch, M = ⌈Σ r⌉."""
        return int(np.ceil(self._ends[-1]))

    def images(self, places, epoch):
        """The images at some places of an epoch; works in graphs such as those of `tf.data`.

        Args:
            places: int64 tensor of any shape, 0 … length − 1.
            epoch: int, or int64 scalar tensor, ≥ 0.

        Returns:
            int64 tensor of the shape of `places`: indices of images.
        """
        epoch = tf.cast(epoch, tf.int64) % _PHASES  # the product stays far below 2⁶³
        phase = tf.cast((self._first_phase + epoch * _STEP) % _PHASES, tf.float64) / _PHASES
        points = (tf.cast(places, tf.float64) + phase) * (self._ends[-1] / self.length)
        images = tf.searchsorted(tf.constant(self._ends), tf.reshape(points, [-1]), side="right", out_type=tf.int64)
        # Rounding can put the last point past the end of the line.
        return tf.reshape(tf.minimum(images, len(self.factors) - 1), tf.shape(places))

"""The token layout: the integers of coordinates, classes, noise, start and end."""

import dataclasses
import numbers

import keras
import tensorflow as tf

from pix2seq_keras.errors import InputError

END_TOKEN = 0  # also the padding token, since only padding follows the end
MAX_TOKENS = 1_000_000


@keras.saving.register_keras_serializable(package="pix2seq_keras")
@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """The shared vocabulary of classes and coordinates (Pix2Seq, Chen et al. 2022, section 2.1).

    `Vocabulary(num_classes, num_bins)` is the compact layout: 0 padding and end, 1 start, 2 noise, then the classes,
    then the coordinate bins. `Vocabulary.published` is the layout of the published checkpoints.

    Args:
        num_classes: int ≥ 1, number of classes; class `i` is an integer in `0 … num_classes − 1`.
        num_bins: int ≥ 2, number of bins of a coordinate in [0, 1]. Defaults to 1000.
        start_token: int, first token of every input sequence. Defaults to 1.
        noise_token: int, class token of noise objects. Defaults to 2.
        label_shift: int, token of label slot 0. Defaults to 3.
        labels: tuple of `num_classes` ints or `None`, label slot of each class. Defaults to `None`, the slots
            `0 … num_classes − 1`.
        coord_shift: int or `None`, token of coordinate bin 0; all tokens from `label_shift` up to it are label slots.
            Defaults to `None`, right after the classes.
        size: int or `None`, number of all tokens. Defaults to `None`, up to the last bin.

    Raises:
        InputError: if a number is out of range or two parts of the layout overlap.

    Example:
        >>> vocabulary = Vocabulary(num_classes=10, num_bins=192)
        >>> vocabulary.class_tokens[:2], vocabulary.coord_shift, vocabulary.size
        ((3, 4), 13, 205)
    """

    num_classes: int
    num_bins: int = 1000
    start_token: int = 1
    noise_token: int = 2
    label_shift: int = 3
    labels: tuple | None = None
    coord_shift: int | None = None
    size: int | None = None

    def __post_init__(self):
        self._check_numbers()
        if self.num_classes < 1 or self.num_bins < 2:
            raise InputError(
                "`num_classes` must be at least 1 and `num_bins` at least 2. "
                f"Received: num_classes={self.num_classes}, num_bins={self.num_bins}."
            )
        fill = lambda name, value: object.__setattr__(self, name, value)
        fill("labels", tuple(range(self.num_classes)) if self.labels is None else tuple(map(int, self.labels)))
        if len(self.labels) != self.num_classes or len(set(self.labels)) != self.num_classes:
            raise InputError(
                f"`labels` must have one slot for each class, all different. Received: {len(self.labels)} slots, "
                f"{len(set(self.labels))} of them different, for num_classes={self.num_classes}."
            )
        if self.coord_shift is None:
            fill("coord_shift", self.label_shift + max(self.labels) + 1)
        if self.size is None:
            fill("size", self.coord_shift + self.num_bins)
        if min(self.labels) < 0 or max(self.labels) >= self.num_labels:
            raise InputError(
                f"`labels` must be in 0 … {self.num_labels - 1}, the slots between label_shift={self.label_shift} and "
                f"coord_shift={self.coord_shift}. Received: slots from {min(self.labels)} to {max(self.labels)}."
            )
        if self.size < self.coord_shift + self.num_bins:
            raise InputError(
                f"`size` must be at least {self.coord_shift + self.num_bins}: the last coordinate bin is token "
                f"{self.coord_shift + self.num_bins - 1}. Received: size={self.size}."
            )
        special = {END_TOKEN, self.start_token, self.noise_token}
        if len(special) != 3 or min(special) < 0 or max(special) >= self.label_shift:
            raise InputError(
                f"`start_token` and `noise_token` must be two different tokens from 1 to {self.label_shift - 1}, below "
                f"`label_shift`; 0 is padding. Received: start_token={self.start_token}, "
                f"noise_token={self.noise_token}, label_shift={self.label_shift}."
            )

    def _check_numbers(self):
        """Before anything is made of them: a file may hold any number."""
        for name in ("num_classes", "num_bins", "start_token", "noise_token", "label_shift", "coord_shift", "size"):
            value = getattr(self, name)
            if value is None and name in ("coord_shift", "size"):
                continue
            if isinstance(value, bool) or not isinstance(value, numbers.Integral) or not abs(value) <= MAX_TOKENS:
                raise InputError(
                    f"`{name}` must be a whole number of at most {MAX_TOKENS}. Received: {name}={value!r:.80}."
                )
            object.__setattr__(self, name, int(value))  # NumPy's whole numbers cannot be written as JSON

    @classmethod
    def published(cls, num_bins=1000, coord_shift=1000, size=3000, class_ids=None):
        """The layout of the published checkpoints: start 10, noise 30, label `i` at 100 + i, label 0 unused.

        Args:
            num_bins: int, 1000 in the fine-tuned checkpoints, 2000 in those trained from scratch. Defaults to 1000.
            coord_shift: int, token of coordinate bin 0. Defaults to 1000.
            size: int, number of all tokens. Defaults to 3000.
            class_ids: sequence of ints or `None`, `class_ids[i]` is the label slot of class `i` (COCO: its category
                ids 1…90 with gaps). Defaults to `None`: every label slot but 0 is a class.

        Returns:
            `Vocabulary`.
        """
        labels = tuple(range(1, coord_shift - 100) if class_ids is None else class_ids)
        return cls(len(labels), num_bins, 10, 30, 100, labels, coord_shift, size)

    @property
    def num_labels(self):
        """int, number of label slots, with and without a class."""
        return self.coord_shift - self.label_shift

    @property
    def class_tokens(self):
        """Tuple of `num_classes` ints: the token of each class."""
        return tuple(self.label_shift + label for label in self.labels)

    @property
    def class_of_label(self):
        """Tuple of `num_labels` ints: the class of each label slot, −1 where it has none."""
        classes = [-1] * self.num_labels
        for index, label in enumerate(self.labels):
            classes[label] = index
        return tuple(classes)

    def get_config(self):
        return dataclasses.asdict(self)

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def quantize(coordinates, num_bins):
    """Quantises coordinates to bins: round(x·(num_bins − 1)), half to even, clipped (Pix2Seq, section 2.1).

    Args:
        coordinates: float tensor of any shape, in [0, 1]; values outside are clipped.
        num_bins: int ≥ 2.

    Returns:
        int32 tensor of the same shape, in 0 … num_bins − 1.
    """
    bins = tf.round(tf.cast(coordinates, tf.float32) * float(num_bins - 1))
    return tf.cast(tf.clip_by_value(bins, 0.0, float(num_bins - 1)), tf.int32)


def dequantize(bins, num_bins):
    """The coordinates of bins: t / (num_bins − 1).

    Args:
        bins: int tensor of any shape; values outside 0 … num_bins − 1 are clipped to that range.
        num_bins: int ≥ 2.

    Returns:
        float32 tensor of the same shape, in [0, 1].
    """
    coordinates = tf.cast(bins, tf.float32) / float(num_bins - 1)
    return tf.clip_by_value(coordinates, 0.0, 1.0)

"""How training sequences are built: the options, without TensorFlow, so that `pix2seq --help` stays fast."""

import dataclasses

from pix2seq_keras.errors import InputError

TOKENS_PER_OBJECT = 5  # ymin xmin ymax xmax class
ORDERS = ("random", "area", "dist2ori", "class", "class_area", "class_dist2ori", "given")
INPUT_CLASSES = ("rand_n_fake_cls", "none", "rand_cls", "real_n_fake_cls", "real_n_rand_n_fake_cls")


@dataclasses.dataclass(frozen=True)
class SequenceOptions:
    """How objects become a training sequence. The defaults are the published ones (Pix2Seq, section 2.3).

    Args:
        max_objects: int ≥ 1, objects in a sequence; with noise, every sequence is filled up to it.
        order: str, see `order_objects`.
        noise: bool, whether noise objects are appended (the paper's sequence augmentation).
        duplicate_share: float in [0, 1] or `None`, share of noise objects that are jittered duplicates of real ones;
            `None` draws it uniformly.
        jitter: float ≥ 0, σ of a duplicate's coordinates as a share of its side.
        input_classes: str, the class tokens of the *input*: `"rand_n_fake_cls"` the noise token or a random label with
            equal probability; `"rand_cls"` a random label; `"real_n_fake_cls"` the real class or the noise token;
            `"real_n_rand_n_fake_cls"` the real class, or the token that `rand_n_fake_cls` gives, with equal
            probability; `"none"` the real class.
        noise_weight: float ≥ 0, weight of a noise object's class target; its coordinates have weight 0.
        train_end: bool, whether the first padding token, the end of the sequence, is a target.
        end_weight: float ≥ 0, weight of that token.
        padding_weight: float ≥ 0, weight of the padding after it.

    Raises:
        InputError: if a field is out of its range.

    Example:
        >>> SequenceOptions(max_objects=10).order
        'random'
    """

    max_objects: int = 100
    order: str = "random"
    noise: bool = True
    duplicate_share: float | None = None
    jitter: float = 0.05
    input_classes: str = "rand_n_fake_cls"
    noise_weight: float = 1.0
    train_end: bool = True
    end_weight: float = 0.1
    padding_weight: float = 0.1

    def __post_init__(self):
        if self.max_objects < 1:
            raise InputError(f"`max_objects` must be at least 1. Received: max_objects={self.max_objects}.")
        for name, values in (("order", ORDERS), ("input_classes", INPUT_CLASSES)):
            value = getattr(self, name)
            if value not in values:
                raise InputError(f"`{name}` must be one of {', '.join(values)}. Received: {name}={value!r}.")
        if self.duplicate_share is not None and not 0 <= self.duplicate_share <= 1:
            raise InputError(f"`duplicate_share` must be in [0, 1]. Received: duplicate_share={self.duplicate_share}.")
        for name in ("jitter", "noise_weight", "end_weight", "padding_weight"):
            if getattr(self, name) < 0:
                raise InputError(f"`{name}` must be at least 0. Received: {name}={getattr(self, name)}.")

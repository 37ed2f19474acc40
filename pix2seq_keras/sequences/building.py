"""From objects to the three rows a Pix2Seq trains on: input tokens, targets, token weights."""

import dataclasses

import tensorflow as tf

from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences.noise import NOISE_CLASS, noise_boxes
from pix2seq_keras.sequences.ordering import ORDERS, order_objects
from pix2seq_keras.sequences.randomness import fold
from pix2seq_keras.vocabulary import END_TOKEN, quantize

TOKENS_PER_OBJECT = 5  # ymin xmin ymax xmax class
INPUT_CLASSES = ("rand_n_fake_cls", "none", "rand_cls", "real_n_fake_cls", "real_n_rand_n_fake_cls")


@dataclasses.dataclass(frozen=True)
class SequenceOptions:
    """How objects become a training sequence; the defaults are the published ones.

    Args:
        max_objects: int, objects in a sequence; with noise, every sequence is filled up to it.
        order: str, see `order_objects`.
        noise: bool, whether noise objects are appended (the paper's sequence augmentation).
        duplicate_share: `None` (uniformly random) or float in [0, 1]: share of noise objects that are jittered
            duplicates of real ones.
        jitter: float, σ of a duplicate's coordinates as a share of its side.
        input_classes: str, what stands at class positions of the *input*: `"rand_n_fake_cls"` the noise token or a
            random label by a fair coin, `"rand_cls"` a random label, `"real_n_fake_cls"` the real class or the noise
            token, `"real_n_rand_n_fake_cls"` the real class or what the first would give, `"none"` the real class.
        noise_weight: float, weight of a noise object's class target; its coordinates weigh 0.
        train_end: bool, whether the first padding token, the end of the sequence, is a target.
        end_weight: float, its weight.
        padding_weight: float, weight of the padding after it.
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
            raise InputError(f"max_objects must be at least 1. Received: max_objects={self.max_objects}")
        if self.order not in ORDERS:
            raise InputError(f"Unknown order of objects: {self.order!r}. Use one of {', '.join(ORDERS)}.")
        if self.input_classes not in INPUT_CLASSES:
            raise InputError(f"Unknown input_classes: {self.input_classes!r}. Use one of {', '.join(INPUT_CLASSES)}.")
        if self.duplicate_share is not None and not 0 <= self.duplicate_share <= 1:
            raise InputError(f"duplicate_share must lie in [0, 1]. Received: {self.duplicate_share}")
        if self.jitter < 0:
            raise InputError(f"jitter must not be negative. Received: {self.jitter}")
        weights = {name: getattr(self, name) for name in ("noise_weight", "end_weight", "padding_weight")}
        if min(weights.values()) < 0:
            raise InputError(f"Token weights must not be negative. Received: {weights}")


def append_noise(boxes, classes, options, seed):
    """Fills the sequence up to `max_objects` with noise objects.

    Args:
        boxes: float32 tensor (n, 4), `rel_yxyx`, n ≤ max_objects, in the frame of the cropped, unpadded image.
        classes: int32 tensor (n,).
        options: `SequenceOptions`.
        seed: int tensor (2,).

    Returns:
        Boxes (max_objects, 4) and classes (max_objects,), `NOISE_CLASS` for the appended ones; the inputs as they
        are where `options.noise` is off.
    """
    if not options.noise:
        return boxes, classes
    missing = options.max_objects - tf.shape(boxes)[0]
    noise = noise_boxes(boxes, missing, seed, options.duplicate_share, options.jitter)
    return tf.concat([boxes, noise], 0), tf.concat([classes, tf.fill([missing], NOISE_CLASS)], 0)


def select_objects(boxes, classes, options, seed):
    """Puts the objects in order, keeps the first `max_objects`, and appends noise objects.

    Args, returns: as `append_noise`, with any number n of objects.
    """
    permutation = order_objects(boxes, classes, options.order, fold(seed, "order"))[: options.max_objects]
    boxes, classes = tf.gather(boxes, permutation), tf.gather(classes, permutation)
    return append_noise(boxes, classes, options, fold(seed, "noise"))


def class_tokens(classes, vocabulary):
    """int32 tensor of the shape of `classes`: their tokens; `NOISE_CLASS` is the noise token, −1 is padding."""
    tokens = tf.gather(tf.constant(vocabulary.class_tokens, tf.int32), tf.maximum(classes, 0))
    tokens = tf.where(classes == NOISE_CLASS, vocabulary.noise_token, tokens)
    return tf.where(classes == -1, END_TOKEN, tokens)


def serialize(boxes, classes, vocabulary):
    """Writes objects as tokens `[ymin xmin ymax xmax class] × n`, without a start token.

    Args:
        boxes: float32 tensor (..., n, 4), `rel_yxyx` of the canvas.
        classes: int32 tensor (..., n); −1 is padding (five zeros), `NOISE_CLASS` a noise object.
        vocabulary: `Vocabulary`.

    Returns:
        int32 tensor (..., 5·n).
    """
    bins = quantize(boxes, vocabulary.num_bins) + vocabulary.coord_shift  # (..., n, 4)
    bins = tf.where(classes[..., None] == -1, END_TOKEN, bins)
    objects = tf.concat([bins, class_tokens(classes, vocabulary)[..., None]], -1)  # (..., n, 5)
    return _flat(objects)


def token_weights(classes, noise_weight=1.0):
    """Weights of the target tokens of objects: the coordinates of a noise object, which is not there, weigh 0.

    Args:
        classes: int32 tensor (..., n); padding rows get weight 1 here, see `training_sequence`.
        noise_weight: float, the weight of a noise object's class token.

    Returns:
        float32 tensor (..., 5·n).
    """
    noise = (classes == NOISE_CLASS)[..., None]
    coordinates = tf.where(noise, tf.zeros(4), tf.ones(4))  # (..., n, 4)
    return _flat(tf.concat([coordinates, tf.where(noise, noise_weight, 1.0)], -1))


def replaced_class_tokens(classes, vocabulary, input_classes, seed):
    """The class tokens the model is shown: (n,) classes -> (n,) tokens; see `SequenceOptions.input_classes`."""
    real = class_tokens(classes, vocabulary)
    first, last = vocabulary.label_shift, vocabulary.coord_shift
    label = tf.random.stateless_uniform(tf.shape(classes), fold(seed, "label"), first, last, dtype=tf.int32)
    coin = lambda name: tf.random.stateless_uniform(tf.shape(classes), fold(seed, name)) < 0.5
    noise = tf.fill(tf.shape(classes), vocabulary.noise_token)
    label_or_noise = tf.where(coin("label or noise"), label, noise)
    shown = {
        "none": real,
        "rand_cls": label,
        "rand_n_fake_cls": label_or_noise,
        "real_n_fake_cls": tf.where(coin("real or noise"), real, noise),
        "real_n_rand_n_fake_cls": tf.where(coin("real or other"), real, label_or_noise),
    }[input_classes]
    return tf.where(classes == -1, END_TOKEN, shown)


def training_sequence(boxes, classes, vocabulary, options, seed):
    """Builds the rows of one training example; run `select_objects` first.

    Args:
        boxes: float32 tensor (n, 4), `rel_yxyx` of the canvas, n ≤ max_objects.
        classes: int32 tensor (n,), `NOISE_CLASS` for noise objects.
        vocabulary: `Vocabulary`.
        options: `SequenceOptions`.
        seed: int tensor (2,).

    Returns:
        Tokens int32 (5·max_objects,): the start token, then the sequence without its last token, classes replaced.
        Targets int32 (5·max_objects,): the sequence.
        Weights float32 (5·max_objects,).
    """
    count = tf.shape(boxes)[0]
    missing = options.max_objects - count
    boxes = tf.ensure_shape(tf.pad(boxes, [[0, missing], [0, 0]]), [options.max_objects, 4])
    classes = tf.pad(classes, [[0, missing]], constant_values=-1)
    classes = tf.ensure_shape(classes, [options.max_objects])
    targets = serialize(boxes, classes, vocabulary)
    shown = replaced_class_tokens(classes, vocabulary, options.input_classes, seed)
    shown = _flat(tf.concat([tf.reshape(targets, [-1, TOKENS_PER_OBJECT])[:, :4], shown[:, None]], -1))
    tokens = tf.concat([[vocabulary.start_token], shown[:-1]], 0)
    weights = token_weights(classes, options.noise_weight)
    position, end = tf.range(tf.size(targets)), TOKENS_PER_OBJECT * count
    weights = tf.where(position > end, options.padding_weight, weights)
    weights = tf.where(position == end, options.end_weight if options.train_end else 0.0, weights)
    return tokens, targets, weights


def _flat(objects):
    """(..., n, 5) -> (..., 5·n), keeping what is known of the shape."""
    shape, static = tf.shape(objects), objects.shape
    flat = tf.reshape(objects, tf.concat([shape[:-2], [shape[-2] * TOKENS_PER_OBJECT]], 0))
    length = None if static[-2] is None else static[-2] * TOKENS_PER_OBJECT
    return tf.ensure_shape(flat, [*static[:-2], length])

"""From objects to the three rows of a training example: input tokens, targets, token weights."""

import tensorflow as tf

from pix2seq_keras.sequences.noise import NOISE_CLASS, noise_boxes
from pix2seq_keras.sequences.options import TOKENS_PER_OBJECT
from pix2seq_keras.sequences.ordering import order_objects
from pix2seq_keras.sequences.randomness import fold
from pix2seq_keras.vocabulary import END_TOKEN, quantize


def append_noise(boxes, classes, options, seed):
    """Fills the sequence up to `max_objects` with noise objects.

    Args:
        boxes: float32 tensor (n, 4), `rel_yxyx`, n ≤ max_objects, in the frame of the cropped, unpadded image.
        classes: int32 tensor (n,).
        options: `SequenceOptions`.
        seed: int tensor (2,).

    Returns:
        Boxes (max_objects, 4) and classes (max_objects,), `NOISE_CLASS` for the appended objects; the inputs unchanged
        if `options.noise` is False.
    """
    if not options.noise:
        return boxes, classes
    missing = options.max_objects - tf.shape(boxes)[0]
    noise = noise_boxes(boxes, missing, seed, options.duplicate_share, options.jitter)
    return tf.concat([boxes, noise], 0), tf.concat([classes, tf.fill([missing], NOISE_CLASS)], 0)


def select_objects(boxes, classes, options, seed):
    """Puts the objects in order, keeps the first `max_objects`, and appends noise objects.

    Args:
        boxes: float32 tensor (n, 4), `rel_yxyx`, in the frame of the cropped, unpadded image.
        classes: int32 tensor (n,).
        options: `SequenceOptions`.
        seed: int tensor (2,).

    Returns:
        Boxes and classes, as `append_noise`.
    """
    permutation = order_objects(boxes, classes, options.order, fold(seed, "order"))[: options.max_objects]
    boxes, classes = tf.gather(boxes, permutation), tf.gather(classes, permutation)
    return append_noise(boxes, classes, options, fold(seed, "noise"))


def class_tokens(classes, vocabulary):
    """The tokens of classes, int32 of any shape; `NOISE_CLASS` gives the noise token and −1 padding."""
    tokens = tf.gather(tf.constant(vocabulary.class_tokens, tf.int32), tf.maximum(classes, 0))
    tokens = tf.where(classes == NOISE_CLASS, vocabulary.noise_token, tokens)
    return tf.where(classes == -1, END_TOKEN, tokens)


def serialize(boxes, classes, vocabulary):
    """Serialises objects as tokens `[ymin xmin ymax xmax class] × n`, without a start token (Pix2Seq, section 2.1).

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
    """Weights of the target tokens of objects. The coordinates of noise objects have weight 0 (Pix2Seq, section 2.3).

    Args:
        classes: int32 tensor (..., n); padding rows get weight 1 here, see `training_sequence`.
        noise_weight: float, the weight of a noise object's class token. Defaults to 1.

    Returns:
        float32 tensor (..., 5·n).
    """
    noise = (classes == NOISE_CLASS)[..., None]
    coordinates = tf.where(noise, tf.zeros(4), tf.ones(4))  # (..., n, 4)
    return _flat(tf.concat([coordinates, tf.where(noise, noise_weight, 1.0)], -1))


def replaced_class_tokens(classes, vocabulary, input_classes, seed):
    """The class tokens of the input: classes (n,) -> tokens (n,); see `SequenceOptions.input_classes`."""
    real = class_tokens(classes, vocabulary)
    first, last = vocabulary.label_shift, vocabulary.coord_shift
    label = tf.random.stateless_uniform(tf.shape(classes), fold(seed, "label"), first, last, dtype=tf.int32)
    coin = lambda name: tf.random.stateless_uniform(tf.shape(classes), fold(seed, name)) < 0.5
    noise = tf.fill(tf.shape(classes), vocabulary.noise_token)
    label_or_noise = tf.where(coin("label or noise"), label, noise)
    tokens = {
        "none": real,
        "rand_cls": label,
        "rand_n_fake_cls": label_or_noise,
        "real_n_fake_cls": tf.where(coin("real or noise"), real, noise),
        "real_n_rand_n_fake_cls": tf.where(coin("real or other"), real, label_or_noise),
    }[input_classes]
    return tf.where(classes == -1, END_TOKEN, tokens)


def training_sequence(boxes, classes, vocabulary, options, seed):
    """Builds the rows of one training example, from the objects of `select_objects`.

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
    input_classes = replaced_class_tokens(classes, vocabulary, options.input_classes, seed)
    inputs = _flat(tf.concat([tf.reshape(targets, [-1, TOKENS_PER_OBJECT])[:, :4], input_classes[:, None]], -1))
    tokens = tf.concat([[vocabulary.start_token], inputs[:-1]], 0)
    weights = token_weights(classes, options.noise_weight)
    position, end = tf.range(tf.size(targets)), TOKENS_PER_OBJECT * count
    weights = tf.where(position > end, options.padding_weight, weights)
    weights = tf.where(position == end, options.end_weight if options.train_end else 0.0, weights)
    return tokens, targets, weights


def _flat(objects):
    """(..., n, 5) -> (..., 5·n), with the static shape where it is known."""
    shape, static = tf.shape(objects), objects.shape
    flat = tf.reshape(objects, tf.concat([shape[:-2], [shape[-2] * TOKENS_PER_OBJECT]], 0))
    length = None if static[-2] is None else static[-2] * TOKENS_PER_OBJECT
    return tf.ensure_shape(flat, [*static[:-2], length])

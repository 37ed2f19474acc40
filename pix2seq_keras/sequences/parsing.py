"""From tokens back to objects."""

import tensorflow as tf

from pix2seq_keras.sequences.building import TOKENS_PER_OBJECT
from pix2seq_keras.vocabulary import END_TOKEN, dequantize


def class_scores(logits, vocabulary, grammar=False):
    """Reads classes and scores off the raw logits of class positions.

    Args:
        logits: float tensor (..., V), the logits at class positions.
        vocabulary: `Vocabulary`.
        grammar: bool. `False`, as published: the arg-max over all label slots, and its probability in the softmax
            over the whole vocabulary. `True`: the arg-max over real classes, and its probability among classes,
            noise and end.

    Returns:
        Classes int32 (...), −1 where the best label slot has no class, and scores float32 (...).
    """
    logits = tf.cast(logits, tf.float32)
    if grammar:
        real = tf.gather(logits, tf.constant(vocabulary.class_tokens), axis=-1)  # (..., K)
        others = tf.gather(logits, [END_TOKEN, vocabulary.noise_token], axis=-1)
        total = tf.reduce_logsumexp(tf.concat([real, others], -1), -1)
        return tf.argmax(real, -1, tf.int32), tf.exp(tf.reduce_max(real, -1) - total)
    labels = logits[..., vocabulary.label_shift : vocabulary.coord_shift]
    classes = tf.gather(tf.constant(vocabulary.class_of_label, tf.int32), tf.argmax(labels, -1, tf.int32))
    return classes, tf.exp(tf.reduce_max(labels, -1) - tf.reduce_logsumexp(logits, -1))


def parse(tokens, vocabulary, classes=None, scores=None, until_end=True):
    """Turns sequences into objects; nothing is repaired, no threshold, no NMS (the published reading).

    Args:
        tokens: int tensor (B, L), without the start token; left-over tokens beyond a multiple of 5 are cut.
        vocabulary: `Vocabulary`.
        classes: int32 tensor (B, L // 5) of `class_scores`, or `None` to read the class tokens themselves.
        scores: float32 tensor (B, L // 5), or `None` for 1 at every object.
        until_end: bool, whether an end token among the coordinates ends the row; the published reading, of sequences
            that never stop, is `False`.

    Returns:
        Dictionary of `"boxes"` float32 (B, n, 4) `rel_yxyx` of the canvas, `"classes"` int32 (B, n), −1 for what is no
        object (noise, nothing, anything at or after the end token), `"scores"` float32 (B, n), 0 there, and
        `"num_detections"` int32 (B,), the number of objects; n = L // 5.
    """
    count = tokens.shape[1] // TOKENS_PER_OBJECT
    shape = [tf.shape(tokens)[0], count, TOKENS_PER_OBJECT]  # not -1: n may be 0
    objects = tf.reshape(tokens[:, : count * TOKENS_PER_OBJECT], shape)  # (B, n, 5)
    boxes = dequantize(objects[..., :4] - vocabulary.coord_shift, vocabulary.num_bins)
    if classes is None:
        labels = objects[..., 4] - vocabulary.label_shift
        known = (labels >= 0) & (labels < vocabulary.num_labels)
        classes = tf.gather(tf.constant(vocabulary.class_of_label, tf.int32), tf.where(known, labels, 0))
        classes = tf.where(known, classes, -1)
    if scores is None:
        scores = tf.ones(tf.shape(classes))
    if until_end:
        ended = tf.cumsum(tf.cast(tf.reduce_any(objects[..., :4] == END_TOKEN, -1), tf.int32), -1) > 0  # (B, n)
        classes = tf.where(ended, -1, classes)
    valid = classes >= 0
    return {
        "boxes": tf.where(valid[..., None], boxes, 0.0),
        "classes": classes,
        "scores": tf.where(valid, scores, 0.0),
        "num_detections": tf.reduce_sum(tf.cast(valid, tf.int32), -1),
    }

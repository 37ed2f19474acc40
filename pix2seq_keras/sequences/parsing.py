"""From tokens back to objects."""

import tensorflow as tf

from pix2seq_keras.sequences.options import TOKENS_PER_OBJECT
from pix2seq_keras.vocabulary import END_TOKEN, dequantize


def class_scores(logits, vocabulary):
    """Classes and scores from the raw logits of class positions, as the published model computes them.

    Args:
        logits: float tensor (..., V), the logits at class positions.
        vocabulary: `Vocabulary`.

    Returns:
        Classes int32 (...), the arg-max over all label slots, −1 where that slot has no class; and scores float32
        (...), its probability in the softmax over the whole vocabulary.
    """
    logits = tf.cast(logits, tf.float32)
    labels = logits[..., vocabulary.label_shift : vocabulary.coord_shift]
    classes = tf.gather(tf.constant(vocabulary.class_of_label, tf.int32), tf.argmax(labels, -1, tf.int32))
    return classes, tf.exp(tf.reduce_max(labels, -1) - tf.reduce_logsumexp(logits, -1))


def parse(tokens, vocabulary, classes=None, scores=None, until_end=True, coordinates=None):
    """Turns sequences into objects, as the published model does: without repair, threshold or NMS.

    Args:
        tokens: int tensor (B, L), without the start token; left-over tokens beyond a multiple of 5 are cut.
        vocabulary: `Vocabulary`.
        classes: int32 tensor (B, L // 5) of `class_scores`, or `None` for those of the class tokens. Defaults to
            `None`.
        scores: float32 tensor (B, L // 5), or `None` for 1 at every object. Defaults to `None`.
        until_end: bool, whether an end token among the coordinates ends the row. False is the published way, for
            sequences that never stop. Defaults to True.
        coordinates: float32 tensor (B, L // 5, 4) in [0, 1], or `None` for those of the tokens. Defaults to `None`.

    Returns:
        Dictionary of `"boxes"` float32 (B, n, 4) `rel_yxyx` of the canvas; `"classes"` int32 (B, n), −1 for noise, for
        slots without a class and from the end token on; `"scores"` float32 (B, n), 0 where the class is −1; `"places"`
        int32 (B, n), the index of each object in the sequence; and `"num_detections"` int32 (B,); n = L // 5.
    """
    objects = _objects(tokens)
    boxes = _boxes(objects, vocabulary) if coordinates is None else coordinates
    if classes is None:
        labels = objects[..., 4] - vocabulary.label_shift
        known = (labels >= 0) & (labels < vocabulary.num_labels)
        classes = tf.gather(tf.constant(vocabulary.class_of_label, tf.int32), tf.where(known, labels, 0))
        classes = tf.where(known, classes, -1)
    if scores is None:
        scores = tf.ones(tf.shape(classes))
    if until_end:
        classes = tf.where(_ended(objects), -1, classes)
    valid = classes >= 0
    return {
        "boxes": tf.where(valid[..., None], boxes, 0.0),
        "classes": classes,
        "scores": tf.where(valid, scores, 0.0),
        "places": tf.broadcast_to(tf.range(objects.shape[1]), tf.shape(classes)),
        "num_detections": tf.reduce_sum(tf.cast(valid, tf.int32), -1),
    }


def parse_labels(tokens, vocabulary, probabilities, coordinates=None):
    """Turns sequences into the n best (object, class) pairs of each image; an object can have several classes.

    `parse` gives every object its most likely class. This function keeps the other classes too, if their probabilities
    are among the n best of the image, as detectors do that score every class of a box (RetinaNet, Deformable DETR).

    Args:
        tokens: int tensor (B, L), without the start token; left-over tokens beyond a multiple of 5 are cut.
        vocabulary: `Vocabulary`.
        probabilities: float32 tensor (B, L // 5, K), of each class.
        coordinates: float32 tensor (B, L // 5, 4) in [0, 1], or `None` for those of the tokens. Defaults to `None`.

    Returns:
        Dictionary as of `parse`, n = L // 5, sorted by score.
    """
    objects = _objects(tokens)
    batch, count, num_classes = tf.shape(objects)[0], objects.shape[1], probabilities.shape[-1]
    boxes = _boxes(objects, vocabulary) if coordinates is None else coordinates
    scores = tf.where(_ended(objects)[..., None], 0.0, probabilities)
    scores, pairs = tf.math.top_k(tf.reshape(scores, [batch, count * num_classes]), count)  # (B, n)
    places = pairs // num_classes
    valid = scores > 0
    return {
        "boxes": tf.where(valid[..., None], tf.gather(boxes, places, batch_dims=1), 0.0),
        "classes": tf.where(valid, pairs % num_classes, -1),
        "scores": scores,
        "places": places,
        "num_detections": tf.reduce_sum(tf.cast(valid, tf.int32), -1),
    }


def _objects(tokens):
    """The tokens of each object: (B, L) -> (B, n, 5)."""
    count = tokens.shape[1] // TOKENS_PER_OBJECT
    shape = [tf.shape(tokens)[0], count, TOKENS_PER_OBJECT]  # not -1: n may be 0
    return tf.reshape(tokens[:, : count * TOKENS_PER_OBJECT], shape)


def _boxes(objects, vocabulary):
    return dequantize(objects[..., :4] - vocabulary.coord_shift, vocabulary.num_bins)


def _ended(objects):
    """(B, n, 5) -> bool (B, n): at or after an end token among the coordinates."""
    return tf.cumsum(tf.cast(tf.reduce_any(objects[..., :4] == END_TOKEN, -1), tf.int32), -1) > 0

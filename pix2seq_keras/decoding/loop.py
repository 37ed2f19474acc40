"""The loop that reads a picture out, in the graph: it is given a step and a cache, never a model."""

import numpy as np
import tensorflow as tf

from pix2seq_keras.decoding.grammar import Grammar
from pix2seq_keras.decoding.uniform import hashed_uniform
from pix2seq_keras.sequences import TOKENS_PER_OBJECT, class_scores
from pix2seq_keras.vocabulary import END_TOKEN

CLASS_PLACE = TOKENS_PER_OBJECT - 1


def decode(step, cache, vocabulary, max_objects, sampler, seeds, constrained=True, stop_at_end=False, head=None):
    """Reads `max_objects` objects out of a cache.

    Args:
        step: function (token int32 (B,), position int32 scalar, cache) -> (hidden, cache).
        cache: nested structure of tensors, its shapes the same at every step.
        vocabulary: `Vocabulary`.
        max_objects: int.
        sampler: function (logits (B, n), uniform (B,)) -> indices int32 (B,).
        seeds: int32 tensor (B,), one a row.
        constrained: bool, whether the grammar holds; scores are then normalised over classes, noise and end.
        stop_at_end: bool, whether a row is over at its end token, and the loop when all rows are. `False` always
            reads out 5·max_objects tokens, as published.
        head: function (tokens int32 array (n,)) -> function hidden -> float32 logits (B, n) of these tokens; called
            before the loop, so that what it needs is made once. `None` where `step` gives the logits (B, V) of all.

    Returns:
        Dictionary of `"tokens"` int32 (B, 5·max_objects), without start token, 0 after the end; `"log_probs"` float32
        (B, 5·max_objects), of each token under the (constrained) distribution before the sampler cuts it, 0 after the
        end; `"classes"` int32 and `"class_scores"` float32 (B, max_objects): the best class and its probability, see
        `class_scores`; and, when constrained, `"class_probabilities"` float32 (B, max_objects, K) of all of them.
    """
    length = TOKENS_PER_OBJECT * max_objects
    batch = tf.shape(seeds)[0]
    places, objects = tf.range(length)[None, :], tf.range(max_objects)[None, :]
    make_reader = _constrained_reader if constrained else _free_reader
    reader = make_reader(vocabulary, sampler, stop_at_end, head or _gathered)

    def body(position, token, finished, rows, found, cache):
        hidden, cache = step(token, position, cache)
        earlier = tf.gather(rows["tokens"], tf.maximum(position - 2, 0), axis=1)
        place, unfinished = position % TOKENS_PER_OBJECT, ~finished[:, None]
        token, log_prob, new = reader(hidden, place, earlier, hashed_uniform(seeds, position))
        if stop_at_end:
            finished = finished | (token == END_TOKEN)
            token = tf.where(finished, END_TOKEN, token)
        # A row keeps its zeros after its end token.
        write = (places == position) & unfinished  # (B, L)
        read = {"tokens": token, "log_probs": log_prob}
        rows = {name: _written(row, read[name], write) for name, row in rows.items()}
        write = (objects == position // TOKENS_PER_OBJECT) & (place == CLASS_PLACE) & unfinished  # (B, max_objects)
        found = {name: _written(row, new[name], write) for name, row in found.items()}
        return position + 1, token, finished, rows, found, cache

    empty = {"class_probabilities": tf.zeros([batch, max_objects, vocabulary.num_classes])}
    if not constrained:
        empty = {
            "classes": tf.zeros([batch, max_objects], tf.int32),
            "class_scores": tf.zeros([batch, max_objects]),
        }
    _, _, _, rows, found, _ = tf.while_loop(
        lambda position, token, finished, rows, found, cache: (position < length) & ~tf.reduce_all(finished),
        body,
        (
            tf.constant(0),
            tf.fill([batch], vocabulary.start_token),
            tf.zeros([batch], tf.bool),
            {"tokens": tf.fill([batch, length], END_TOKEN), "log_probs": tf.zeros([batch, length])},
            empty,
            cache,
        ),
        parallel_iterations=1,
    )
    if constrained:
        probabilities = found["class_probabilities"]
        found["classes"] = tf.argmax(probabilities, -1, tf.int32)
        found["class_scores"] = tf.reduce_max(probabilities, -1)
    return {**rows, **found}


def _written(row, new, write):
    """`row` (B, n, …) with `new` (B, …) where `write` (B, n) says so."""
    extra = [1] * (len(row.shape) - 2)
    return tf.where(tf.reshape(write, [-1, row.shape[1], *extra]), new[:, None], row)


def _constrained_reader(vocabulary, sampler, stop_at_end, head):
    """Reads one token by the grammar, from the logits of the tokens that its place may have and no others."""
    grammar = Grammar(vocabulary, stop_at_end)
    coordinate_head, class_head = head(grammar.coordinate_tokens), head(grammar.class_tokens)

    def read(hidden, place, earlier, uniform):
        def coordinate():
            logits = grammar.mask_coordinates(coordinate_head(hidden), place, earlier)
            token, log_prob = _sampled(sampler, logits, uniform, grammar.coordinate_tokens)
            return token, log_prob, tf.zeros([tf.shape(token)[0], vocabulary.num_classes])

        def class_():
            logits = class_head(hidden)
            token, log_prob = _sampled(sampler, grammar.mask_classes(logits), uniform, grammar.class_tokens)
            return token, log_prob, grammar.class_probabilities(logits)

        token, log_prob, probabilities = tf.cond(place == CLASS_PLACE, class_, coordinate)
        return token, log_prob, {"class_probabilities": probabilities}

    return read


def _free_reader(vocabulary, sampler, stop_at_end, head):
    """Reads one token of the whole vocabulary, as published."""
    tokens = np.arange(vocabulary.size, dtype=np.int32)
    whole_head = head(tokens)

    def read(hidden, place, earlier, uniform):
        logits = whole_head(hidden)
        token, log_prob = _sampled(sampler, logits, uniform, tokens)
        nothing = lambda: (tf.zeros_like(token), tf.zeros_like(log_prob))
        classes, scores = tf.cond(place == CLASS_PLACE, lambda: class_scores(logits, vocabulary), nothing)
        return token, log_prob, {"classes": classes, "class_scores": scores}

    return read


def _sampled(sampler, logits, uniform, tokens):
    """A token (B,) and its log-probability (B,)."""
    index = sampler(logits, uniform)
    log_prob = tf.gather(logits, index[:, None], batch_dims=1)[:, 0] - tf.reduce_logsumexp(logits, -1)
    return tf.gather(tf.constant(tokens), index), log_prob


def _gathered(tokens):
    """The head of steps that give the logits of the whole vocabulary."""
    return lambda logits: tf.gather(logits, tf.constant(tokens), axis=-1)

"""The loop that reads a picture out, in the graph: it is given a step and a cache, never a model."""

import tensorflow as tf

from pix2seq_keras.decoding.grammar import Grammar
from pix2seq_keras.decoding.uniform import hashed_uniform
from pix2seq_keras.sequences import TOKENS_PER_OBJECT, class_scores
from pix2seq_keras.vocabulary import END_TOKEN


def decode(step, cache, vocabulary, max_objects, sampler, seeds, constrained=True, stop_at_end=False):
    """Reads `max_objects` objects out of a cache.

    Args:
        step: function (token int32 (B,), position int32 scalar, cache) -> (logits float32 (B, V), cache).
        cache: nested structure of tensors, its shapes the same at every step.
        vocabulary: `Vocabulary`.
        max_objects: int.
        sampler: function (logits (B, V), uniform (B,)) -> tokens int32 (B,).
        seeds: int32 tensor (B,), one a row.
        constrained: bool, whether the grammar holds; scores are then normalised over classes, noise and end.
        stop_at_end: bool, whether a row is over at its end token, and the loop when all rows are. `False` always
            reads out 5·max_objects tokens, as published.

    Returns:
        Dictionary of `"tokens"` int32 (B, 5·max_objects), without start token, 0 after the end; `"log_probs"` float32
        (B, 5·max_objects), of each token under the (constrained) distribution before the sampler cuts it, 0 after the
        end; `"classes"` int32 and `"class_scores"` float32 (B, max_objects), see `class_scores`.
    """
    length = TOKENS_PER_OBJECT * max_objects
    grammar = Grammar(vocabulary, stop_at_end)
    batch = tf.shape(seeds)[0]
    places = tf.range(length)[None, :]

    def body(position, token, finished, rows, cache):
        logits, cache = step(token, position, cache)
        classes, scores = class_scores(logits, vocabulary, grammar=constrained)
        if constrained:
            earlier = tf.gather(rows["tokens"], tf.maximum(position - 2, 0), axis=1)
            logits = grammar.mask(logits, position, earlier)
        token = sampler(logits, hashed_uniform(seeds, position))
        log_prob = tf.gather(tf.nn.log_softmax(logits), token[:, None], batch_dims=1)[:, 0]
        write = (places == position) & ~finished[:, None]  # (B, L); a row keeps its zeros after its end token
        if stop_at_end:
            finished = finished | (token == END_TOKEN)
            token = tf.where(finished, END_TOKEN, token)
        new = {"tokens": token, "log_probs": log_prob, "classes": classes, "scores": scores}
        rows = {name: tf.where(write, new[name][:, None], row) for name, row in rows.items()}
        return position + 1, token, finished, rows, cache

    _, _, _, rows, _ = tf.while_loop(
        lambda position, token, finished, rows, cache: (position < length) & ~tf.reduce_all(finished),
        body,
        (
            tf.constant(0),
            tf.fill([batch], vocabulary.start_token),
            tf.zeros([batch], tf.bool),
            {
                "tokens": tf.fill([batch, length], END_TOKEN),
                "log_probs": tf.zeros([batch, length]),
                "classes": tf.zeros([batch, length], tf.int32),
                "scores": tf.zeros([batch, length]),
            },
            cache,
        ),
        parallel_iterations=1,
    )
    at_class = slice(TOKENS_PER_OBJECT - 1, None, TOKENS_PER_OBJECT)
    return {
        "tokens": rows["tokens"],
        "log_probs": rows["log_probs"],
        "classes": rows["classes"][:, at_class],
        "class_scores": rows["scores"][:, at_class],
    }

"""The loop that reads an image out, in the graph: it is given a step and a cache, never a model."""

import tensorflow as tf

from pix2seq_keras.decoding import token_choice as choosing
from pix2seq_keras.decoding.coordinate_refinement import CoordinateRefinement
from pix2seq_keras.decoding.counter_rng import hashed_uniform
from pix2seq_keras.decoding.heads import CLASS_PLACE, ConstrainedHead, FullVocabularyHead
from pix2seq_keras.sequences import TOKENS_PER_OBJECT
from pix2seq_keras.vocabulary import END_TOKEN, dequantize


class DecodingLoop:
    """Reads images out from where a state is to where it is told, so that reading can pause.

    A state is a dictionary: `"position"` int32 scalar, how many tokens were read; `"token"` int32 (B,), the last of
    them; `"finished"` bool (B,); `"seeds"` int32 (B,); `"tokens"` int32 and `"log_probs"` float32 (B, 5·max_objects);
    `"expected"` float32 of that shape, see `CoordinateRefinement`; `"found"`, what the class steps told; and `"cache"`.

    Args:
        step: function (token int32 (B,), position int32 scalar, cache) -> (hidden, cache).
        vocabulary: `Vocabulary`.
        max_objects: int.
        sampler: function (logits (B, n), uniform (B,)) -> indices int32 (B,).
        constrained: bool, whether the grammar holds; scores are then normalised over classes, noise and end.
        stop_at_end: bool, whether a row is over at its end token, and the loop when all rows are. `False` always
            reads out 5·max_objects tokens, as published.
        head: function (tokens int32 array (n,)) -> function hidden -> float32 logits (B, n) of these tokens; called
            before the loop, so that what it needs is made once. `None` where `step` gives the logits (B, V) of all.
        end_bias: float, added to the logit of the end token when tokens are chosen.
        coordinate_window: float, see `CoordinateRefinement`; 0 tells coordinates as the bins that were chosen.
    """

    def __init__(
        self,
        step,
        vocabulary,
        max_objects,
        sampler,
        constrained=True,
        stop_at_end=False,
        head=None,
        end_bias=0.0,
        coordinate_window=0.0,
    ):
        self.step = step
        self.vocabulary = vocabulary
        self.expect = CoordinateRefinement(vocabulary, coordinate_window)
        self.max_objects = max_objects
        self.length = TOKENS_PER_OBJECT * max_objects
        self.sampler = sampler
        self.stop_at_end = stop_at_end
        head = head or _gathered
        if constrained:
            self.reader = ConstrainedHead(vocabulary, stop_at_end, end_bias, head)
        else:
            self.reader = FullVocabularyHead(vocabulary, end_bias, head)

    def start(self, cache, seeds):
        """The state before anything is read: seeds int32 (B,), one a row."""
        batch = tf.shape(seeds)[0]
        return {
            "position": tf.constant(0),
            "token": tf.fill([batch], self.vocabulary.start_token),
            "finished": tf.zeros([batch], tf.bool),
            "seeds": seeds,
            "tokens": tf.fill([batch, self.length], END_TOKEN),
            "log_probs": tf.zeros([batch, self.length]),
            "expected": tf.zeros([batch, self.length]),
            "found": self.reader.empty(batch, self.max_objects),
            "cache": cache,
        }

    def after_prompt(self, state, prompt, hidden):
        """The state after a prompt that was read in one pass.

        Args:
            state: of `start`, with the cache after the prompt but for its last token.
            prompt: int32 tensor (B, P), P static, without the start token.
            hidden: float tensor (B, P, D), the step's hidden states that lead to the prompt's tokens.

        Returns:
            State.
        """
        length, found = prompt.shape[1], state["found"]
        before = tf.pad(prompt, [[0, 0], [2, 0]])[:, :length]  # (B, P), the token two positions earlier
        log_probs = []
        for position in range(length):
            (_, log_prob, _), found = self.reader.read(
                hidden[:, position],
                position % TOKENS_PER_OBJECT,
                before[:, position],
                choosing.given(prompt[:, position]),
                found,
                writer(position // TOKENS_PER_OBJECT, True),
            )
            log_probs.append(log_prob)
        room = [[0, 0], [0, self.length - length]]
        return {
            **state,
            "position": tf.constant(length),
            "token": prompt[:, -1],
            "tokens": tf.pad(prompt, room),
            "log_probs": tf.pad(tf.stack(log_probs, 1), room),
            "expected": tf.pad(tf.cast(prompt, tf.float32), room),
            "found": found,
        }

    def run(self, state, until):
        """Reads up to a position, or until all rows are finished.

        Args:
            state: of `start`, `after_prompt` or `run`.
            until: int or int32 scalar tensor ≤ 5·max_objects.

        Returns:
            State.
        """
        (state,) = tf.while_loop(
            lambda state: (state["position"] < until) & ~tf.reduce_all(state["finished"]),
            lambda state: (_in_shape(self.read_one(state), state),),
            (state,),
            parallel_iterations=1,
        )
        return state

    def result(self, state):
        """What was read out; see `decode`."""
        tokens, log_probs = state["tokens"], state["log_probs"]
        shape = [tf.shape(tokens)[0], self.max_objects, TOKENS_PER_OBJECT]
        of_coordinates = tf.reshape(log_probs, shape)[..., :CLASS_PLACE]
        was_read = tf.reduce_all(tf.reshape(tokens, shape)[..., :CLASS_PLACE] != END_TOKEN, -1)
        likelihoods = tf.where(was_read, tf.exp(tf.reduce_mean(of_coordinates, -1)), 0.0)
        found = self.reader.finish(state["found"])
        return {
            "tokens": tokens,
            "log_probs": log_probs,
            "coordinates": self._coordinates(tf.reshape(state["expected"], shape)),
            "coordinate_scores": likelihoods,
            **found,
        }

    def _coordinates(self, expected):
        """(B, n, 5) -> (B, n, 4) in [0, 1]; a box whose edges were averaged stays well-formed."""
        edges = dequantize(expected[..., :CLASS_PLACE] - self.vocabulary.coord_shift, self.vocabulary.num_bins)
        if not self.expect.reach:
            return edges
        return tf.concat([edges[..., :2], tf.maximum(edges[..., 2:], edges[..., :2])], -1)

    def read_one(self, state):
        position, tokens = state["position"], state["tokens"]
        hidden, cache = self.step(state["token"], position, state["cache"])
        unfinished = ~state["finished"]
        (token, log_prob, expected), found = self.reader.read(
            hidden,
            position % TOKENS_PER_OBJECT,
            tf.gather(tokens, tf.maximum(position - 2, 0), axis=1),
            choosing.sampled(self.sampler, hashed_uniform(state["seeds"], position), self.expect),
            state["found"],
            writer(position // TOKENS_PER_OBJECT, unfinished),
        )
        finished = state["finished"]
        if self.stop_at_end:
            finished = finished | (token == END_TOKEN)
            token = tf.where(finished, END_TOKEN, token)
        write = writer(position, unfinished)  # a row keeps its zeros after its end token
        return {
            "position": position + 1,
            "token": token,
            "finished": finished,
            "seeds": state["seeds"],
            "tokens": write(tokens, token),
            "log_probs": write(state["log_probs"], log_prob),
            "expected": write(state["expected"], expected),
            "found": found,
            "cache": cache,
        }


def decode(step, cache, vocabulary, max_objects, sampler, seeds, *args, stages=None, grow=None, **kwargs):
    """Reads `max_objects` objects out of a cache.

    Args:
        step, vocabulary, max_objects, sampler: see `DecodingLoop`.
        cache: nested structure of tensors, its shapes the same at every step.
        seeds: int32 tensor (B,), one a row.
        *args, **kwargs: of `DecodingLoop`.
        stages: list of int, the lengths that the cache is to have one after the other, the last 5·max_objects: what
            is not yet filled need not be attended to. `None` where the cache has its full length from the start.
        grow: function (cache, length) -> cache, with `stages`.

    Returns:
        Dictionary of `"tokens"` int32 (B, 5·max_objects), without start token, 0 after the end; `"log_probs"` float32
        (B, 5·max_objects), of each token under the (constrained) distribution before bias and sampler change it, 0
        after the end; `"classes"` int32 and `"class_scores"` float32 (B, max_objects): the best class and its
        probability, see `class_scores`; when constrained, `"class_probabilities"` float32 (B, max_objects, K) of all
        of them; `"coordinates"` float32 (B, max_objects, 4), those of each object in [0, 1], between the bins where a
        window averages them; and `"coordinate_scores"` float32 (B, max_objects), the geometric mean of the
        probabilities of an object's four coordinates, 0 after the end.
    """
    loop = DecodingLoop(step, vocabulary, max_objects, sampler, *args, **kwargs)
    state = loop.start(cache, seeds)
    return loop.result(run_in_stages(loop, state, stages, grow))


def run_in_stages(loop, state, stages=None, grow=None):
    """Reads to the end while the cache grows; see `decode`."""
    if not stages:
        return loop.run(state, loop.length)
    for length in stages:
        state = {**state, "cache": grow(state["cache"], length)}
        # A function of its own: XLA fails on the third loop of one function ("Cannot find body function").
        run = tf.function(lambda state, length=length: loop.run(state, length), autograph=False)
        state = run(state)
    return state


def writer(place, rows):
    """A function (tensor (B, n, …), new (B, …)) -> the tensor with `new` at `place`, where `rows` (B,) says so."""
    rows = tf.convert_to_tensor(rows)[..., None]  # (B, 1), or (1,) for all rows

    def write(tensor, new):
        where = (tf.range(tensor.shape[1]) == place) & rows  # (B, n)
        for _ in tensor.shape[2:]:
            where = where[..., None]
        return tf.where(where, new[:, None], tensor)

    return write


def _in_shape(new, old):
    """The new state, with what is known of the old one's shapes: a reshaped batch of one might be of any size."""
    if not tf.executing_eagerly():
        for one, other in zip(tf.nest.flatten(new), tf.nest.flatten(old), strict=True):
            one.set_shape(other.shape)
    return new


def _gathered(tokens):
    """The head of steps that give the logits of the whole vocabulary."""
    return lambda logits: tf.gather(logits, tf.constant(tokens), axis=-1)

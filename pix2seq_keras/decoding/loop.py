"""The decoding loop, in the graph: it is given a decoding step and a KV cache, never a model."""

import tensorflow as tf

from pix2seq_keras.decoding import token_choice
from pix2seq_keras.decoding.coordinate_refinement import CoordinateRefinement
from pix2seq_keras.decoding.counter_rng import hashed_uniform
from pix2seq_keras.decoding.heads import CLASS_PLACE, ConstrainedHead, FullVocabularyHead
from pix2seq_keras.sequences import TOKENS_PER_OBJECT
from pix2seq_keras.vocabulary import END_TOKEN, dequantize


class DecodingLoop:
    """Decodes sequences from a state up to a position, so that decoding can pause.

    A state is a dictionary: `"position"` int32 scalar, the number of decoded tokens; `"token"` int32 (B,), the last of
    them; `"finished"` bool (B,); `"seeds"` int32 (B,); `"tokens"` int32 and `"log_probs"` float32 (B, 5·max_objects);
    `"refined"` float32 of that shape, see `CoordinateRefinement`; `"class_outputs"` of the head; and `"cache"`.

    Args:
        step: function (token int32 (B,), position int32 scalar, cache) -> (hidden, cache).
        vocabulary: `Vocabulary`.
        options: `DecodingOptions`, complete; `num_samples` and what follows decoding do not count here.
        projection: function (tokens int32 array (n,)) -> function hidden -> float32 logits (B, n) of these tokens. It
            is called before the loop, so that its weights are prepared once. None where `step` gives the logits (B, V)
            of the whole vocabulary.
    """

    def __init__(self, step, vocabulary, options, projection=None):
        self.step = step
        self.vocabulary = vocabulary
        self.options = options
        self.length = TOKENS_PER_OBJECT * options.max_objects
        self.refine = CoordinateRefinement(vocabulary, options.coordinate_window)
        head = ConstrainedHead if options.constrained else FullVocabularyHead
        self.head = head(vocabulary, options, projection or _gather_logits)

    def start(self, cache, seeds):
        """The state before the first token: cache, nested structure of tensors, and seeds int32 (B,), one a row."""
        batch = tf.shape(seeds)[0]
        return {
            "position": tf.constant(0),
            "token": tf.fill([batch], self.vocabulary.start_token),
            "finished": tf.zeros([batch], tf.bool),
            "seeds": seeds,
            "tokens": tf.fill([batch, self.length], END_TOKEN),
            "log_probs": tf.zeros([batch, self.length]),
            "refined": tf.zeros([batch, self.length]),
            "class_outputs": self.head.init_outputs(batch, self.options.max_objects),
            "cache": cache,
        }

    def after_prompt(self, state, prompt, hidden):
        """The state after a prompt, whose positions were computed in one pass.

        Args:
            state: of `start`, with the cache after the prompt but for its last token.
            prompt: int32 tensor (B, P), P static, without the start token.
            hidden: float tensor (B, P, D), the step's hidden states that lead to the prompt's tokens.

        Returns:
            State.
        """
        length, outputs = prompt.shape[1], state["class_outputs"]
        before = tf.pad(prompt, [[0, 0], [2, 0]])[:, :length]  # (B, P), the token two positions earlier
        log_probs = []
        for position in range(length):
            (_, log_prob, _), outputs = self.head.decode(
                hidden[:, position],
                position % TOKENS_PER_OBJECT,
                before[:, position],
                token_choice.take(prompt[:, position]),
                outputs,
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
            "refined": tf.pad(tf.cast(prompt, tf.float32), room),
            "class_outputs": outputs,
        }

    def run(self, state, until):
        """Decodes up to a position, or until all rows are finished.

        Args:
            state: of `start`, `after_prompt` or `run`.
            until: int or int32 scalar tensor ≤ 5·max_objects.

        Returns:
            State.
        """
        (state,) = tf.while_loop(
            lambda state: (state["position"] < until) & ~tf.reduce_all(state["finished"]),
            lambda state: (_with_shapes_of(self.decode_position(state), state),),
            (state,),
            parallel_iterations=1,
        )
        return state

    def run_in_stages(self, state, cache_lengths, grow):
        """Decodes to the end while the cache grows: attending to positions that are not yet filled costs time.

        Args:
            state: of `start` or `after_prompt`.
            cache_lengths: list of int, the lengths of the cache one after the other, the last 5·max_objects.
            grow: function (cache, length) -> cache.

        Returns:
            State.
        """
        for length in cache_lengths:
            state = {**state, "cache": grow(state["cache"], length)}
            # A function of its own: XLA fails on the third loop of one function ("Cannot find body function").
            run = tf.function(lambda state, length=length: self.run(state, length), autograph=False)
            state = run(state)
        return state

    def result(self, state):
        """What was decoded.

        Args:
            state: of `run`.

        Returns:
            Dictionary of `"tokens"` int32 (B, 5·max_objects), without start token, 0 after the end; `"log_probs"`
            float32 of the same shape, of each token under the (constrained) distribution before bias and sampler change
            it, 0 after the end; `"classes"` int32 and `"class_scores"` float32 (B, max_objects): the best class and its
            probability, see `class_scores`; when constrained, `"class_probabilities"` float32 (B, max_objects, K);
            `"coordinates"` float32 (B, max_objects, 4) in [0, 1], refined; and `"coordinate_scores"` float32
            (B, max_objects), the geometric mean of the probabilities of an object's four coordinates, 0 after the end.
        """
        tokens, log_probs = state["tokens"], state["log_probs"]
        shape = [tf.shape(tokens)[0], self.options.max_objects, TOKENS_PER_OBJECT]
        of_coordinates = tf.reshape(log_probs, shape)[..., :CLASS_PLACE]
        decoded = tf.reduce_all(tf.reshape(tokens, shape)[..., :CLASS_PLACE] != END_TOKEN, -1)
        likelihoods = tf.where(decoded, tf.exp(tf.reduce_mean(of_coordinates, -1)), 0.0)
        return {
            "tokens": tokens,
            "log_probs": log_probs,
            "coordinates": self._coordinates(tf.reshape(state["refined"], shape)),
            "coordinate_scores": likelihoods,
            **self.head.finish(state["class_outputs"]),
        }

    def decode_position(self, state):
        """One decoding step: the state after the next position."""
        position, tokens = state["position"], state["tokens"]
        hidden, cache = self.step(state["token"], position, state["cache"])
        unfinished = ~state["finished"]
        (token, log_prob, refined), outputs = self.head.decode(
            hidden,
            position % TOKENS_PER_OBJECT,
            tf.gather(tokens, tf.maximum(position - 2, 0), axis=1),
            token_choice.sample(self.options.sampler, hashed_uniform(state["seeds"], position), self.refine),
            state["class_outputs"],
            writer(position // TOKENS_PER_OBJECT, unfinished),
        )
        finished = state["finished"]
        if self.options.stop_at_end:
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
            "refined": write(state["refined"], refined),
            "class_outputs": outputs,
            "cache": cache,
        }

    def _coordinates(self, refined):
        """(B, n, 5) -> (B, n, 4) in [0, 1]; a box whose edges were averaged stays well-formed."""
        edges = dequantize(refined[..., :CLASS_PLACE] - self.vocabulary.coord_shift, self.vocabulary.num_bins)
        if not self.refine.radius:
            return edges
        return tf.concat([edges[..., :2], tf.maximum(edges[..., 2:], edges[..., :2])], -1)


def writer(place, rows):
    """A function (tensor (B, n, …), new (B, …)) -> the tensor with `new` at `place`, where `rows` (B,) is true."""
    rows = tf.convert_to_tensor(rows)[..., None]  # (B, 1), or (1,) for all rows

    def write(tensor, new):
        where = (tf.range(tensor.shape[1]) == place) & rows  # (B, n)
        for _ in tensor.shape[2:]:
            where = where[..., None]
        return tf.where(where, new[:, None], tensor)

    return write


def _with_shapes_of(new, old):
    """The new state with the static shapes of the old one, which a reshape of a batch of one loses."""
    if not tf.executing_eagerly():
        for one, other in zip(tf.nest.flatten(new), tf.nest.flatten(old), strict=True):
            one.set_shape(other.shape)
    return new


def _gather_logits(tokens):
    """The projection for steps that give the logits of the whole vocabulary."""
    return lambda logits: tf.gather(logits, tf.constant(tokens), axis=-1)

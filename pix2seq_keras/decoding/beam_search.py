"""Beam search: the likeliest whole sequence, as far as a few candidates at a time can tell."""

import tensorflow as tf

from pix2seq_keras.decoding.loop import DecodingLoop, writer
from pix2seq_keras.sequences import TOKENS_PER_OBJECT
from pix2seq_keras.vocabulary import END_TOKEN

IMPOSSIBLE = -1e9


class BeamSearchLoop(DecodingLoop):
    """`DecodingLoop` whose rows are the candidates of the images, best first: row b·beams + i is image b's i-th.

    Its states have two more entries: `"scores"` float32 (B·beams,), the candidates' sums of log-probabilities, and
    `"lengths"` float32 (B·beams,), their numbers of tokens.

    Args:
        step: see `DecodingLoop`.
        vocabulary: `Vocabulary`.
        options: `DecodingOptions` whose sampler is a `samplers.BeamSearch`. The cache has B·beams rows.
        projection: see `DecodingLoop`.
        reorder: function (cache, rows int32 (B·beams,)) -> cache whose row i is the old row rows[i].
    """

    def __init__(self, step, vocabulary, options, projection=None, *, reorder):
        super().__init__(step, vocabulary, options, projection)
        self.beams, self.length_penalty = options.sampler.beams, options.sampler.length_penalty
        self.reorder = reorder

    def start(self, cache, seeds):
        state = super().start(cache, tf.repeat(seeds, self.beams))
        # All candidates of an image begin alike: only the first may have successors.
        first = tf.one_hot(0, self.beams, 0.0, IMPOSSIBLE)
        return {
            **state,
            "scores": tf.tile(first, [tf.shape(seeds)[0]]),
            "lengths": tf.zeros_like(state["seeds"], tf.float32),
        }

    def after_prompt(self, state, prompt, hidden):
        state = super().after_prompt(state, prompt, hidden)
        return {
            **state,
            "scores": state["scores"] + tf.reduce_sum(state["log_probs"], -1),
            "lengths": state["lengths"] + float(prompt.shape[1]),
        }

    def result(self, state):
        """As `DecodingLoop.result`, of the best candidate, and all candidates.

        Returns:
            The dictionary with `"beam_tokens"` int32 (B, beams, 5·max_objects) and `"beam_scores"` float32 (B, beams)
            added: all candidates, best first, and the scores they are ranked by, sums of log-probabilities with the
            end's bias where there is one. Where the grammar has fewer sequences than there are beams, the rest are
            zeros with a score of −∞.
        """
        real = state["scores"] > IMPOSSIBLE / 2
        state = {**state, "tokens": tf.where(real[:, None], state["tokens"], END_TOKEN)}
        ranks = tf.where(real, self._ranked(state["scores"], state["lengths"]), -float("inf"))
        best = tf.range(tf.shape(state["tokens"])[0] // self.beams) * self.beams
        result = super().result(state)
        return {
            **{name: tf.gather(value, best) for name, value in result.items()},
            "beam_tokens": tf.reshape(state["tokens"], [-1, self.beams, self.length]),
            "beam_scores": tf.reshape(ranks, [-1, self.beams]),
        }

    def decode_position(self, state):
        position, finished = state["position"], state["finished"]
        hidden, cache = self.step(state["token"], position, state["cache"])
        place, number = position % TOKENS_PER_OBJECT, position // TOKENS_PER_OBJECT
        lengths = state["lengths"] + tf.where(finished, 0.0, 1.0)

        def choose(biased, logits, tokens):
            steps = tf.nn.log_softmax(biased)
            # A finished candidate has one successor: itself.
            itself = tf.one_hot(0, len(tokens), 0.0, IMPOSSIBLE)[None]
            scores = state["scores"][:, None] + tf.where(finished[:, None], itself, steps)  # (B·beams, n)
            ranked = tf.reshape(self._ranked(scores, lengths[:, None]), [-1, self.beams * len(tokens)])
            chosen = tf.math.top_k(ranked, self.beams).indices  # (B, beams)
            firsts = tf.range(tf.shape(chosen)[0])[:, None] * self.beams
            parents = tf.reshape(firsts + chosen // len(tokens), [-1])
            picked = tf.stack([parents, tf.reshape(chosen % len(tokens), [-1])], -1)
            log_probs = tf.where(tf.gather(finished, parents), 0.0, tf.gather_nd(tf.nn.log_softmax(logits), picked))
            token = tf.gather(tf.constant(tokens), picked[:, 1])
            refined = self.refine(tf.gather(logits, parents), tokens, token)
            return parents, token, log_probs, tf.gather_nd(scores, picked), refined

        earlier = tf.gather(state["tokens"], tf.maximum(position - 2, 0), axis=1)
        (parents, token, log_probs, scores, refined), outputs = self.head.decode(
            hidden, place, earlier, choose, state["class_outputs"], writer(number, ~finished)
        )
        finished = tf.gather(finished, parents)
        token = tf.where(finished, END_TOKEN, token)
        write = writer(position, ~finished)
        of_parents = lambda name: tf.gather(state[name], parents)
        return {
            "position": position + 1,
            "token": token,
            "finished": finished | (token == END_TOKEN) if self.options.stop_at_end else finished,
            "seeds": state["seeds"],
            "tokens": write(of_parents("tokens"), token),
            "log_probs": write(of_parents("log_probs"), log_probs),
            "refined": write(of_parents("refined"), refined),
            "class_outputs": tf.nest.map_structure(lambda rows: tf.gather(rows, parents), outputs),
            "cache": self.reorder(cache, parents),
            "scores": scores,
            "lengths": tf.gather(lengths, parents),
        }

    def _ranked(self, scores, lengths):
        """Wu et al. 2016, equation 14, without its constant: log P / length^α."""
        if not self.length_penalty:
            return scores
        return scores / tf.maximum(lengths, 1.0) ** self.length_penalty

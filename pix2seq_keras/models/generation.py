"""Where the model meets the decoding loop: the compiled functions behind `generate` and `stream`."""

import dataclasses
import math
import numbers

import numpy as np
import tensorflow as tf

from pix2seq_keras.decoding import DecodingLoop, run_in_stages, samplers
from pix2seq_keras.decoding.beam_search import BeamSearchLoop
from pix2seq_keras.errors import InputError
from pix2seq_keras.models.inputs import checked_max_objects
from pix2seq_keras.sequences import TOKENS_PER_OBJECT

# How far the cache grows at a time, with and without XLA. Attending to what is not yet filled costs time, and another
# stage is another copy of the loop to trace; XLA gains more by it than TensorFlow's executor (docs/performance.md).
STAGE = {True: 128, False: 256}
# Four bins of 192: what gains most on handwritten digits, and less than lies between neighbouring blood cells
# (docs/learning-from-few.md).
COORDINATE_WINDOW = 0.02


@dataclasses.dataclass(frozen=True)
class Options:
    """What a decoding function is compiled for; see `Pix2Seq.generate`."""

    max_objects: int
    sampler: object
    constrained: bool = True
    stop_at_end: bool = False
    end_bias: float = 0.0
    coordinate_window: float = 0.0

    @property
    def length(self):
        return TOKENS_PER_OBJECT * self.max_objects

    @property
    def beams(self):
        return self.sampler.beams if isinstance(self.sampler, samplers.BeamSearch) else 1


def make_options(
    model,
    max_objects=None,
    sampler="top_p",
    constrained=True,
    stop_at_end=False,
    end_bias=0.0,
    coordinate_window=None,
):
    """Checked `Options`; an `InputError` says what is wrong with them."""
    if not isinstance(end_bias, numbers.Real) or not abs(end_bias) <= 1e9:
        raise InputError(f"end_bias must be a finite number, at most 1e9 in size. Received: end_bias={end_bias!r}")
    if coordinate_window is None:
        coordinate_window = COORDINATE_WINDOW if constrained else 0.0
    if not isinstance(coordinate_window, numbers.Real) or not 0 <= coordinate_window <= 1:
        raise InputError(
            "coordinate_window must lie between 0 and 1, a share of the canvas's side. "
            f"Received: coordinate_window={coordinate_window!r}"
        )
    max_objects, sampler = checked_max_objects(model, max_objects), samplers.get(sampler)
    return Options(
        max_objects, sampler, bool(constrained), bool(stop_at_end), float(end_bias), float(coordinate_window)
    )


def make_encoder(model):
    """`encode` as a graph: images float32 (B, H, W, 3) -> (B, N, D). The batch is left open: one graph serves all."""
    signature = [tf.TensorSpec([None, *model.image_size, 3], tf.float32)]
    return tf.function(model.encode, input_signature=signature, autograph=False)


def stages(options, jit_compile):
    """How long the cache is, one length after the other: list of int."""
    stage = STAGE[bool(jit_compile)]
    return [*range(stage, options.length, stage), options.length]


def make_decoder(model, options, jit_compile=False, prompt_length=0, cache_lengths=None):
    """The whole reading of encoded images as one graph, which serves every size of batch.

    Args:
        model: `Pix2Seq`.
        options: `Options`.
        jit_compile: bool, whether XLA compiles it, anew for each batch size.
        prompt_length: int P.
        cache_lengths: list of int, see `stages` and `decode`; `None` for the default.

    Returns:
        `tf.function`: encoded (B, N, D), seeds int32 (B,), prompt int32 (B, P) -> dictionary of `generate`.
    """
    cache_lengths = cache_lengths or stages(options, jit_compile)
    left = [length for length in cache_lengths if length > prompt_length] or cache_lengths[-1:]
    signature = [
        tf.TensorSpec([None, math.prod(model.encoder.grid), model.decoder_config["decoder_dim"]], model.compute_dtype),
        tf.TensorSpec([None], tf.int32),
        tf.TensorSpec([None, prompt_length], tf.int32),
    ]

    @tf.function(autograph=False, jit_compile=jit_compile, input_signature=signature)
    def decoder(encoded, seeds, prompt):
        return read_out(model, options, encoded, seeds, left, cache_write(jit_compile, prompt_length), prompt)

    return decoder


def read_out(model, options, encoded, seeds, cache_lengths, cache_write, prompt=None, weights=None):
    """The whole reading of encoded images, in the graph that is being made.

    Args:
        model: `Pix2Seq`.
        options: `Options`.
        encoded: float tensor (B, N, D).
        seeds: int32 tensor (B,).
        cache_lengths: list of int, see `stages`.
        cache_write: str, see `TransformerDecoder.step`.
        prompt: int32 tensor (B, P) or `None`.
        weights: of `TransformerDecoder.prepare`, or `None` to make them in the graph.

    Returns:
        Dictionary of `Pix2Seq.generate`.
    """
    if prompt is None:
        prompt = tf.zeros([tf.shape(encoded)[0], 0], tf.int32)
    loop, state = begin(model, options, encoded, seeds, prompt, cache_lengths[0], cache_write, weights)
    return loop.result(run_in_stages(loop, state, cache_lengths, model.decoder.grow_cache))


def make_stepwise(model, options):
    """The reading in pieces, for `stream`: two graphs, images and seeds -> state, and state and position -> state."""

    # A loop has tensors of the graph it was made in: each graph makes its own.
    @tf.function(autograph=False)
    def start(images, seeds):
        no_prompt = tf.zeros([1, 0], tf.int32)
        return begin(model, options, model.encode(images), seeds, no_prompt, options.length, "scatter")[1]

    @tf.function(autograph=False)
    def advance(state, until):
        loop = _loop(model, options, "scatter")
        state = loop.run(state, until)
        return state, loop.result(state)

    return start, advance


def checked_prompt(model, prompt, batch, options):
    """A prompt as an int32 tensor (B, P); an `InputError` if sequences cannot begin so."""
    if prompt is None:
        return tf.zeros([batch, 0], tf.int32)
    try:
        tokens = np.asarray(prompt)
    except ValueError:
        tokens = np.array(None)  # rows of several lengths: told below
    if tokens.ndim != 2 or len(tokens) != batch or tokens.dtype.kind not in "iu" or tokens.shape[1] > options.length:
        raise InputError(
            f"A prompt is an integer array ({batch}, P), one row an image and P at most {options.length}, without "
            f"start token. Received: type {tokens.dtype}, shape {tokens.shape}"
        )
    vocabulary = model.vocabulary
    allowed = (tokens >= int(options.stop_at_end)) & (tokens < vocabulary.size)
    expected = f"any of {int(options.stop_at_end)} … {vocabulary.size - 1}"
    if options.constrained:
        place = np.arange(tokens.shape[1]) % TOKENS_PER_OBJECT
        bins = (tokens >= vocabulary.coord_shift) & (tokens < vocabulary.coord_shift + vocabulary.num_bins)
        bins[:, 2:] &= (place[2:] < 2) | (tokens[:, 2:] >= tokens[:, :-2])
        allowed = np.where(place == 4, np.isin(tokens, [vocabulary.noise_token, *vocabulary.class_tokens]), bins)
        expected = (
            "objects are ymin, xmin, ymax ≥ ymin, xmax ≥ xmin and a class or noise, in the tokens of `Vocabulary`"
        )
    if not allowed.all():
        row, position = np.argwhere(~allowed)[0]
        raise InputError(
            f"Token {tokens[row, position]} cannot stand at position {position} of a prompt (row {row}): {expected}."
        )
    return tf.constant(tokens, tf.int32)


def cache_write(jit_compile, prompt_length=0):
    """How the caches of a whole reading are written: str, see `TransformerDecoder.step`."""
    if jit_compile:
        return "slice_update"
    # What is read in one pass attends to the same tensors that would be written to.
    return "scatter" if prompt_length else "in_place"


def begin(model, options, encoded, seeds, prompt, cache_length, cache_write, weights=None):
    """The loop and its first state; see `read_out`."""
    if options.beams > 1:
        encoded, prompt = (tf.repeat(rows, options.beams, axis=0) for rows in (encoded, prompt))
    loop = _loop(model, options, cache_write, weights)
    cache = model.init_cache(encoded, cache_length, cache_write)
    state = loop.start(cache, seeds)
    if prompt.shape[1]:
        start = tf.fill([tf.shape(prompt)[0], 1], model.vocabulary.start_token)
        shown = tf.concat([start, prompt[:, :-1]], 1)  # (B, P)
        hidden, cache = model.decoder.prefill(model.embedding(shown), cache)
        state = loop.after_prompt({**state, "cache": cache}, prompt, hidden)
    return loop, state


def _loop(model, options, cache_write, weights=None):
    weights = model.decoder.prepare() if weights is None else weights

    def step(token, position, cache):
        x = model.embedding(token[:, None], position=position)  # (B, 1, D)
        hidden, cache = model.decoder.step(x, position, cache, cache_write, weights)
        return hidden[:, 0], cache

    how = {
        "constrained": options.constrained,
        "stop_at_end": options.stop_at_end,
        "head": model.embedding.head,
        "end_bias": options.end_bias,
        "coordinate_window": options.coordinate_window,
    }
    args = (step, model.vocabulary, options.max_objects, options.sampler)
    if isinstance(options.sampler, samplers.BeamSearch):
        return BeamSearchLoop(*args, reorder=model.decoder.reorder_cache, **how)
    return DecodingLoop(*args, **how)

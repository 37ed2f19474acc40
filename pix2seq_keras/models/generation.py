"""Where the model meets the decoding loop: from encoded images to sequences."""

import dataclasses
import math

import numpy as np
import tensorflow as tf

from pix2seq_keras.decoding import BeamSearchLoop, DecodingLoop, row_seeds, samplers
from pix2seq_keras.decoding.heads import CLASS_PLACE
from pix2seq_keras.errors import InputError
from pix2seq_keras.models.ensemble import sample_seeds
from pix2seq_keras.models.inputs import checked_images
from pix2seq_keras.sequences import TOKENS_PER_OBJECT

# By how much the cache grows at a time, with and without XLA. Attending to positions that are not yet filled costs
# time; another stage is another copy of the loop to trace. XLA gains more by it than TensorFlow's executor
# (docs/performance.md).
STAGE_LENGTH = {True: 128, False: 256}


def generate(model, images, options, prompt, jit_compile, seed):
    """See `Pix2Seq.generate`; the options are complete."""
    if options.flip_test:
        raise InputError("`flip_test=True` requires `detect`, which flips the boxes back. Received: flip_test=True.")
    images = checked_images(model, images)
    prompt = checked_prompt(model, prompt, images.shape[0], options)
    seeds = row_seeds(options.seed if seed is None else seed, images.shape[0])
    decoder = model.decoder_function(options, bool(jit_compile), prompt.shape[1])
    encoded = model.encoder_function()(images)
    encoded, prompt = (tf.repeat(rows, options.num_samples, 0) for rows in (encoded, prompt))
    return decoder(encoded, sample_seeds(seeds, options.num_samples), prompt)


def sequence_options(options):
    """The options with those that do not change a sequence set to one value, so that equal graphs are made once."""
    return dataclasses.replace(options, num_samples=1, flip_test=False, multi_label=False, seed=0)


def make_encoder(model):
    """`encode` as a graph: images float32 (B, H, W, 3) -> (B, N, D). The batch is left open: one graph serves all."""
    signature = [tf.TensorSpec([None, *model.image_size, 3], tf.float32)]
    return tf.function(model.encode, input_signature=signature, autograph=False)


def cache_lengths(options, jit_compile):
    """The lengths of the growing KV cache, one after the other: list of int."""
    stage, length = STAGE_LENGTH[bool(jit_compile)], TOKENS_PER_OBJECT * options.max_objects
    return [*range(stage, length, stage), length]


def cache_write(jit_compile, prompt_length=0):
    """How the KV cache is written to: str, see `TransformerDecoder.step`."""
    if jit_compile:
        return "slice_update"
    # A prompt is attended to in the same pass that writes it, so it must not be written in place.
    return "scatter" if prompt_length else "in_place"


def make_decoder(model, options, jit_compile=False, prompt_length=0, lengths=None):
    """The decoding of encoded images as one graph, which serves every batch size.

    Args:
        model: `Pix2Seq`.
        options: `DecodingOptions`, complete.
        jit_compile: bool, whether XLA compiles it, anew for each batch size.
        prompt_length: int P.
        lengths: list of int, see `cache_lengths`; None for the default.

    Returns:
        `tf.function`: encoded (B, N, D), seeds int32 (B,), prompt int32 (B, P) -> dictionary of `DecodingLoop.result`.
    """
    lengths = lengths or cache_lengths(options, jit_compile)
    remaining = [length for length in lengths if length > prompt_length] or lengths[-1:]
    signature = [
        tf.TensorSpec([None, math.prod(model.encoder.grid), model.decoder_config["decoder_dim"]], model.compute_dtype),
        tf.TensorSpec([None], tf.int32),
        tf.TensorSpec([None, prompt_length], tf.int32),
    ]

    @tf.function(autograph=False, jit_compile=jit_compile, input_signature=signature)
    def decoder(encoded, seeds, prompt):
        write = cache_write(jit_compile, prompt_length)
        return decode_encoded(model, options, encoded, seeds, remaining, write, prompt)

    return decoder


def decode_encoded(model, options, encoded, seeds, lengths, write, prompt=None, weights=None):
    """Decodes encoded images, in the graph that is being traced.

    Args:
        model: `Pix2Seq`.
        options: `DecodingOptions`, complete.
        encoded: float tensor (B, N, D).
        seeds: int32 tensor (B,).
        lengths: list of int, see `cache_lengths`.
        write: str, see `cache_write`.
        prompt: int32 tensor (B, P) or None.
        weights: of `TransformerDecoder.prepare`, or None to prepare them in the graph.

    Returns:
        Dictionary of `DecodingLoop.result`.
    """
    if prompt is None:
        prompt = tf.zeros([tf.shape(encoded)[0], 0], tf.int32)
    loop, state = start_decoding(model, options, encoded, seeds, prompt, lengths[0], write, weights)
    return loop.result(loop.run_in_stages(state, lengths, model.decoder.grow_cache))


def make_stepwise(model, options):
    """The decoding in pieces, for `stream`: two graphs, images and seeds -> state, and state and position -> state."""

    # A loop holds tensors of the graph it was made in: each graph makes its own.
    @tf.function(autograph=False)
    def start(images, seeds):
        no_prompt, length = tf.zeros([1, 0], tf.int32), TOKENS_PER_OBJECT * options.max_objects
        return start_decoding(model, options, model.encode(images), seeds, no_prompt, length, "scatter")[1]

    @tf.function(autograph=False)
    def advance(state, until):
        loop = _make_loop(model, options, "scatter")
        state = loop.run(state, until)
        return state, loop.result(state)

    return start, advance


def start_decoding(model, options, encoded, seeds, prompt, cache_length, write, weights=None):
    """The decoding loop and its first state, after prefilling the cache with the prompt; see `decode_encoded`."""
    beams = num_beams(options)
    if beams > 1:
        encoded, prompt = (tf.repeat(rows, beams, axis=0) for rows in (encoded, prompt))
    loop = _make_loop(model, options, write, weights)
    cache = model.decoder.init_cache(encoded, cache_length, write)
    state = loop.start(cache, seeds)
    if prompt.shape[1]:
        start = tf.fill([tf.shape(prompt)[0], 1], model.vocabulary.start_token)
        inputs = tf.concat([start, prompt[:, :-1]], 1)  # (B, P)
        hidden, cache = model.decoder.prefill(model.embedding(inputs), cache)
        state = loop.after_prompt({**state, "cache": cache}, prompt, hidden)
    return loop, state


def num_beams(options):
    """The candidates of every image that are decoded together: int, 1 unless the sampler is a beam search."""
    return options.sampler.beams if isinstance(options.sampler, samplers.BeamSearch) else 1


def checked_prompt(model, prompt, batch, options):
    """Checks a prompt.

    Args:
        model: `Pix2Seq`.
        prompt: int array (B, P) or None.
        batch: int B.
        options: `DecodingOptions`, complete.

    Returns:
        int32 tensor (B, P).

    Raises:
        InputError: if it has another shape or type, or no sequence can begin with it.
    """
    if prompt is None:
        return tf.zeros([batch, 0], tf.int32)
    try:
        tokens = np.asarray(prompt)
    except ValueError:
        tokens = np.array(None)  # rows of several lengths: refused below
    length = TOKENS_PER_OBJECT * options.max_objects
    if tokens.ndim != 2 or len(tokens) != batch or tokens.dtype.kind not in "iu" or tokens.shape[1] > length:
        raise InputError(
            f"`prompt` must be an integer array ({batch}, P), one row an image and P at most {length}, without start "
            f"token. Received: type {tokens.dtype}, shape {tokens.shape}"
        )
    vocabulary = model.vocabulary
    allowed = (tokens >= int(options.stop_at_end)) & (tokens < vocabulary.size)
    expected = f"any of {int(options.stop_at_end)} … {vocabulary.size - 1}"
    if options.constrained:
        place = np.arange(tokens.shape[1]) % TOKENS_PER_OBJECT
        bins = (tokens >= vocabulary.coord_shift) & (tokens < vocabulary.coord_shift + vocabulary.num_bins)
        bins[:, 2:] &= (place[2:] < 2) | (tokens[:, 2:] >= tokens[:, :-2])  # ymax ≥ ymin, xmax ≥ xmin
        allowed = np.where(
            place == CLASS_PLACE, np.isin(tokens, [vocabulary.noise_token, *vocabulary.class_tokens]), bins
        )
        expected = "ymin, xmin, ymax ≥ ymin, xmax ≥ xmin and a class or noise, in the tokens of `Vocabulary`"
    if not allowed.all():
        row, position = np.argwhere(~allowed)[0]
        raise InputError(
            f"`prompt` must hold objects: {expected}. Received: token {tokens[row, position]} at position {position} "
            f"of row {row}."
        )
    return tf.constant(tokens, tf.int32)


def _make_loop(model, options, write, weights=None):
    weights = model.decoder.prepare() if weights is None else weights

    def step(token, position, cache):
        x = model.embedding(token[:, None], position=position)  # (B, 1, D)
        hidden, cache = model.decoder.step(x, position, cache, write, weights)
        return hidden[:, 0], cache

    arguments = (step, model.vocabulary, options, model.embedding.head)
    if isinstance(options.sampler, samplers.BeamSearch):
        return BeamSearchLoop(*arguments, reorder=model.decoder.reorder_cache)
    return DecodingLoop(*arguments)

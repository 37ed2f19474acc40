"""Reading sequences out: the loop, readers, samplers, beam search, grammar."""

from pix2seq_keras.decoding import samplers
from pix2seq_keras.decoding.counter_rng import hashed_uniform, row_seeds
from pix2seq_keras.decoding.loop import DecodingLoop, decode, run_in_stages
from pix2seq_keras.sequences.grammar import Grammar

__all__ = ["DecodingLoop", "Grammar", "decode", "hashed_uniform", "row_seeds", "run_in_stages", "samplers"]

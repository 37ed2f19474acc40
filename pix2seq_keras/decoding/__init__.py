"""Reading sequences out: the loop, samplers, grammar."""

from pix2seq_keras.decoding import samplers
from pix2seq_keras.decoding.grammar import Grammar
from pix2seq_keras.decoding.loop import decode
from pix2seq_keras.decoding.uniform import hashed_uniform, row_seeds

__all__ = ["Grammar", "decode", "hashed_uniform", "row_seeds", "samplers"]

"""The parts of the network, in `keras.ops` only, so that they run on every Keras backend."""

from pix2seq_keras.layers.attention import Attention
from pix2seq_keras.layers.bridge import Bridge
from pix2seq_keras.layers.drop_path import DropPath
from pix2seq_keras.layers.image_encoder import ImageEncoder
from pix2seq_keras.layers.mlp import MLP
from pix2seq_keras.layers.position_codes import sine_code_2d
from pix2seq_keras.layers.residual_stem import ResidualBlock, ResidualStem
from pix2seq_keras.layers.token_embedding import CoordinateInitializer, TokenEmbedding
from pix2seq_keras.layers.transformer_decoder import DecoderBlock, TransformerDecoder
from pix2seq_keras.layers.transformer_encoder import EncoderBlock, TransformerEncoder

__all__ = [
    "MLP",
    "Attention",
    "Bridge",
    "CoordinateInitializer",
    "DecoderBlock",
    "DropPath",
    "EncoderBlock",
    "ImageEncoder",
    "ResidualBlock",
    "ResidualStem",
    "TokenEmbedding",
    "TransformerDecoder",
    "TransformerEncoder",
    "sine_code_2d",
]

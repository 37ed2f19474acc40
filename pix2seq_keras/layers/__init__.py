"""The parts of the network, in `keras.ops` only, so that they run on every Keras backend."""

from pix2seq_keras.layers.applications_backbone import applications_backbone
from pix2seq_keras.layers.attention import Attention
from pix2seq_keras.layers.bridge import Bridge
from pix2seq_keras.layers.drop_path import DropPath
from pix2seq_keras.layers.image_encoder import ImageEncoder
from pix2seq_keras.layers.keras_backbone import KerasBackbone
from pix2seq_keras.layers.mlp import MLP
from pix2seq_keras.layers.position_codes import sine_code_2d
from pix2seq_keras.layers.residual_stem import ResidualBlock, ResidualStem
from pix2seq_keras.layers.resnet import Bottleneck, ResNet
from pix2seq_keras.layers.token_embedding import CoordinateInitializer, TokenEmbedding
from pix2seq_keras.layers.transformer_decoder import DecoderBlock, TransformerDecoder
from pix2seq_keras.layers.transformer_encoder import EncoderBlock, TransformerEncoder
from pix2seq_keras.layers.vision_transformer import VisionTransformer

__all__ = [
    "MLP",
    "Attention",
    "Bottleneck",
    "Bridge",
    "CoordinateInitializer",
    "DecoderBlock",
    "DropPath",
    "EncoderBlock",
    "ImageEncoder",
    "KerasBackbone",
    "ResNet",
    "ResidualBlock",
    "ResidualStem",
    "TokenEmbedding",
    "TransformerDecoder",
    "TransformerEncoder",
    "VisionTransformer",
    "applications_backbone",
    "sine_code_2d",
]

"""The Transformer encoder, with attention over the whole feature grid."""

import keras

from pix2seq_keras.layers.attention import Attention
from pix2seq_keras.layers.drop_path import DropPath
from pix2seq_keras.layers.mlp import MLP
from pix2seq_keras.layers.normalization import layer_norm


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class EncoderBlock(keras.layers.Layer):
    """x + DropPath(attention(LN x)), then x + DropPath(MLP(LN x)).

    Args:
        dim: int, width of the tokens.
        mlp_dim: int, width inside the MLP.
        num_heads: int, divides `dim`.
        dropout: float in [0, 1), after the MLP's GELU. Defaults to 0.
        drop_path: float in [0, 1), stochastic depth of both residuals. Defaults to 0.

    Call arguments:
        x: float tensor (B, N, dim).

    Returns:
        float tensor (B, N, dim).
    """

    def __init__(self, dim, mlp_dim, num_heads, dropout=0.0, drop_path=0.0, **kwargs):
        super().__init__(**kwargs)
        self.config = {
            "dim": dim,
            "mlp_dim": mlp_dim,
            "num_heads": num_heads,
            "dropout": dropout,
            "drop_path": drop_path,
        }
        dtype = self.dtype_policy
        self.attention_norm = layer_norm("attention_norm", dtype)
        self.attention = Attention(dim, num_heads, dtype=dtype, name="attention")
        self.mlp_norm = layer_norm("mlp_norm", dtype)
        self.mlp = MLP(mlp_dim, dropout, dtype=dtype, name="mlp")
        self.drop_path = DropPath(drop_path, dtype=dtype, name="drop_path")

    def build(self, input_shape):
        self.attention_norm.build(input_shape)
        self.attention.build(input_shape, input_shape)
        self.mlp_norm.build(input_shape)
        self.mlp.build(input_shape)

    def call(self, x, training=False):
        normed = self.attention_norm(x)
        x = x + self.drop_path(self.attention(normed, normed), training=training)
        return x + self.drop_path(self.mlp(self.mlp_norm(x), training=training), training=training)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), **self.config}


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class TransformerEncoder(keras.layers.Layer):
    """A stack of pre-LN encoder blocks and a final LayerNorm.

    Args:
        num_layers: int, number of blocks; with 0 only the LayerNorm remains.
        dim, mlp_dim, num_heads, dropout, drop_path: see `EncoderBlock`; the same in every block.

    Call arguments:
        x: float tensor (B, N, dim), with the position code already added.

    Returns:
        float tensor (B, N, dim).

    Example:
        >>> TransformerEncoder(2, dim=64, mlp_dim=256, num_heads=4)(keras.ops.ones((1, 9, 64))).shape
        (1, 9, 64)
    """

    def __init__(self, num_layers, dim, mlp_dim, num_heads, dropout=0.0, drop_path=0.0, **kwargs):
        super().__init__(**kwargs)
        self.config = {
            "num_layers": num_layers,
            "dim": dim,
            "mlp_dim": mlp_dim,
            "num_heads": num_heads,
            "dropout": dropout,
            "drop_path": drop_path,
        }
        self.blocks = [
            EncoderBlock(dim, mlp_dim, num_heads, dropout, drop_path, dtype=self.dtype_policy, name=f"block_{index}")
            for index in range(num_layers)
        ]
        self.output_norm = layer_norm("output_norm", self.dtype_policy)

    def build(self, input_shape):
        for block in self.blocks:
            block.build(input_shape)
        self.output_norm.build(input_shape)

    def call(self, x, training=False):
        for block in self.blocks:
            x = block(x, training=training)
        return self.output_norm(x)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), **self.config}

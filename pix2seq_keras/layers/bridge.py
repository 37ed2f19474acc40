"""The bridge between encoder and decoder: it projects the encoded image to the decoder's width."""

import keras
from keras import ops

from pix2seq_keras.layers.drop_path import DropPath
from pix2seq_keras.layers.mlp import MLP
from pix2seq_keras.layers.normalization import layer_norm
from pix2seq_keras.layers.position_codes import sine_code_2d


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class Bridge(keras.layers.Layer):
    """Dense → LN → + 2-D sine code → one residual pre-LN MLP; no LayerNorm after it.

    Args:
        dim: int, the decoder's width.
        mlp_dim: int, width inside the MLP.
        grid: (h, w), the encoder's feature grid.
        dropout: float in [0, 1), after the MLP's GELU. Defaults to 0.
        drop_path: float in [0, 1), stochastic depth of the residual. Defaults to 0.

    Call arguments:
        encoded: float tensor (B, h·w, any).

    Returns:
        float tensor (B, h·w, dim).
    """

    def __init__(self, dim, mlp_dim, grid, dropout=0.0, drop_path=0.0, **kwargs):
        super().__init__(**kwargs)
        self.config = {
            "dim": dim,
            "mlp_dim": mlp_dim,
            "grid": tuple(grid),
            "dropout": dropout,
            "drop_path": drop_path,
        }
        dtype = self.dtype_policy
        self.projection = keras.layers.Dense(dim, dtype=dtype, name="projection")
        self.projection_norm = layer_norm("projection_norm", dtype)
        self.mlp_norm = layer_norm("mlp_norm", dtype)
        self.mlp = MLP(mlp_dim, dropout, dtype=dtype, name="mlp")
        self.drop_path = DropPath(drop_path, dtype=dtype, name="drop_path")
        self.position_code = sine_code_2d(*grid, dim)  # (h·w, dim)

    def build(self, input_shape):
        self.projection.build(input_shape)
        shape = (*input_shape[:-1], self.config["dim"])
        self.projection_norm.build(shape)
        self.mlp_norm.build(shape)
        self.mlp.build(shape)

    def call(self, encoded, training=False):
        x = self.projection_norm(self.projection(encoded))
        x = x + ops.cast(self.position_code, x.dtype)
        return x + self.drop_path(self.mlp(self.mlp_norm(x), training=training), training=training)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.config["dim"])

    def get_config(self):
        return {**super().get_config(), **self.config}

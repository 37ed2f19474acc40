"""The image encoder: backbone, projection, position code, Transformer."""

import keras
from keras import ops

from pix2seq_keras.layers.normalization import layer_norm
from pix2seq_keras.layers.position_codes import sine_code_2d
from pix2seq_keras.layers.transformer_encoder import TransformerEncoder


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class ImageEncoder(keras.layers.Layer):
    """Any image backbone, then dropout → Dense → LN → + sine code → Transformer encoder.

    Args:
        backbone: Keras layer or model that maps images (B, H, W, 3) to features (B, h, w, any).
        num_layers: int, encoder blocks; with 0 only the final LayerNorm remains.
        dim: int, width, a multiple of 4 (the 2-D sine code) and of `num_heads`.
        mlp_dim: int, width inside the MLPs.
        num_heads: int, attention heads.
        dropout: float in [0, 1), on the features and after the GELUs. Defaults to 0.
        drop_path: float in [0, 1), stochastic depth. Defaults to 0.

    Call arguments:
        images: float tensor (B, H, W, 3) in [0, 1].

    Returns:
        float tensor (B, h·w, dim), the grid row by row.

    Example:
        >>> encoder = ImageEncoder(ResidualStem((16, 32)), num_layers=1, dim=64, mlp_dim=128, num_heads=4)
        >>> encoder(keras.ops.ones((1, 32, 48, 3))).shape
        (1, 96, 64)
    """

    def __init__(self, backbone, num_layers, dim, mlp_dim, num_heads, dropout=0.0, drop_path=0.0, **kwargs):
        super().__init__(**kwargs)
        self.config = {
            "num_layers": num_layers,
            "dim": dim,
            "mlp_dim": mlp_dim,
            "num_heads": num_heads,
            "dropout": dropout,
            "drop_path": drop_path,
        }
        dtype = self.dtype_policy
        self.backbone = backbone
        self.dropout = keras.layers.Dropout(dropout, dtype=dtype, name="dropout")
        self.projection = keras.layers.Dense(dim, dtype=dtype, name="projection")
        self.projection_norm = layer_norm("projection_norm", dtype)
        self.transformer = TransformerEncoder(**self.config, dtype=dtype, name="transformer")

    def build(self, images_shape):
        if not self.backbone.built:
            self.backbone.build(images_shape)
        _, height, width, channels = self.backbone.compute_output_shape(images_shape)
        self.grid = (height, width)
        self.projection.build((None, height * width, channels))
        shape = (None, height * width, self.config["dim"])
        self.projection_norm.build(shape)
        self.transformer.build(shape)
        self.position_code = sine_code_2d(height, width, self.config["dim"])  # (h·w, dim)

    def call(self, images, training=False):
        features = self.backbone(images, training=training)  # (B, h, w, C)
        features = ops.reshape(features, (-1, self.grid[0] * self.grid[1], features.shape[-1]))
        x = self.projection_norm(self.projection(self.dropout(features, training=training)))
        x = x + ops.cast(self.position_code, x.dtype)
        return self.transformer(x, training=training)  # (B, h·w, dim)

    def compute_output_shape(self, images_shape):
        _, height, width, _ = self.backbone.compute_output_shape(images_shape)
        return (images_shape[0], height * width, self.config["dim"])

    def get_config(self):
        backbone = keras.saving.serialize_keras_object(self.backbone)
        return {**super().get_config(), "backbone": backbone, **self.config}

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        config["backbone"] = keras.saving.deserialize_keras_object(config["backbone"])
        return cls(**config)

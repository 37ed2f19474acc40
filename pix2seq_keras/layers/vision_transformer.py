"""The Vision Transformer of the published model."""

import keras
from keras import ops

from pix2seq_keras.errors import InputError
from pix2seq_keras.layers.normalization import layer_norm
from pix2seq_keras.layers.position_codes import sine_code_2d
from pix2seq_keras.layers.transformer_encoder import TransformerEncoder


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class VisionTransformer(keras.layers.Layer):
    """Patches → LN → + 2-D sine code → Transformer encoder, without class token (Dosovitskiy et al. 2021).

    Args:
        patch_size: int, side of a patch in pixels. Pixels at the right and bottom that fill no patch are not used.
        num_layers: int, encoder blocks.
        dim: int, width, a multiple of 4 (the 2-D sine code) and of `num_heads`.
        mlp_dim: int, width inside the MLPs.
        num_heads: int, attention heads.
        dropout: float in [0, 1), after the GELUs. Defaults to 0.
        drop_path: float in [0, 1), stochastic depth. Defaults to 0.

    Call arguments:
        images: float tensor (B, H, W, 3) in [0, 1].

    Returns:
        float tensor (B, N, dim), N = ⌊H/patch⌋·⌊W/patch⌋, the grid row by row.

    Raises:
        InputError: if the canvas is smaller than a patch.

    Example:
        >>> encoder = VisionTransformer(16, num_layers=2, dim=64, mlp_dim=256, num_heads=4)
        >>> encoder(keras.ops.ones((1, 64, 96, 3))).shape
        (1, 24, 64)
    """

    def __init__(self, patch_size, num_layers, dim, mlp_dim, num_heads, dropout=0.0, drop_path=0.0, **kwargs):
        super().__init__(**kwargs)
        self.sizes = {
            "num_layers": num_layers,
            "dim": dim,
            "mlp_dim": mlp_dim,
            "num_heads": num_heads,
            "dropout": dropout,
            "drop_path": drop_path,
        }
        self.patch_size = patch_size
        dtype = self.dtype_policy
        self.patches = keras.layers.Conv2D(dim, patch_size, patch_size, padding="valid", dtype=dtype, name="patches")
        self.patches_norm = layer_norm("patches_norm", dtype)
        self.transformer = TransformerEncoder(**self.sizes, dtype=dtype, name="transformer")

    def build(self, images_shape):
        self.grid = self._grid(images_shape)
        self.patches.build(images_shape)
        shape = (None, self.grid[0] * self.grid[1], self.sizes["dim"])
        self.patches_norm.build(shape)
        self.transformer.build(shape)
        self.position_code = sine_code_2d(*self.grid, self.sizes["dim"])  # (N, dim)

    def call(self, images, training=False):
        x = self.patches(images)  # (B, h, w, dim)
        x = ops.reshape(x, (-1, self.grid[0] * self.grid[1], self.sizes["dim"]))
        x = self.patches_norm(x)
        x = x + ops.cast(self.position_code, x.dtype)
        return self.transformer(x, training=training)  # (B, N, dim)

    def compute_output_shape(self, images_shape):
        height, width = self._grid(images_shape)
        return (images_shape[0], height * width, self.sizes["dim"])

    def _grid(self, images_shape):
        grid = (images_shape[1] // self.patch_size, images_shape[2] // self.patch_size)
        if 0 in grid:
            raise InputError(
                f"`image_size` must hold at least one patch of {self.patch_size}×{self.patch_size} pixels. "
                f"Received: images of {images_shape[1]}×{images_shape[2]} pixels."
            )
        return grid

    def get_config(self):
        return {**super().get_config(), "patch_size": self.patch_size, **self.sizes}

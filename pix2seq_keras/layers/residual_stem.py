"""A small convolutional backbone for small images."""

import keras

from pix2seq_keras.layers.batch_normalization import BatchNormalization


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class ResidualBlock(keras.layers.Layer):
    """Two 3×3 convolutions with batch norm around a shortcut, the first with a stride (He et al. 2016).

    Args:
        filters: int, channels out.
        stride: int, of the first convolution. Defaults to 1.

    Call arguments:
        x: float tensor (B, h, w, any).

    Returns:
        float tensor (B, ⌈h/stride⌉, ⌈w/stride⌉, filters).
    """

    def __init__(self, filters, stride=1, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.stride = stride
        dtype = self.dtype_policy
        conv = lambda name, kernel, step: keras.layers.Conv2D(
            filters, kernel, step, padding="same", use_bias=False, kernel_initializer="he_normal",
            dtype=dtype, name=name,
        )  # fmt: skip
        norm = lambda name: BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=dtype, name=name)
        self.conv_1, self.norm_1 = conv("conv_1", 3, stride), norm("norm_1")
        self.conv_2, self.norm_2 = conv("conv_2", 3, 1), norm("norm_2")
        # A strided 1×1 convolution would use one pixel in stride²; the mean uses all (ResNet-D, He et al. 2019).
        self.pool = keras.layers.AveragePooling2D(stride, padding="same", dtype=dtype, name="pool")
        self.shortcut, self.shortcut_norm = conv("shortcut", 1, 1), norm("shortcut_norm")
        self.relu = keras.layers.ReLU(dtype=dtype, name="relu")

    def build(self, input_shape):
        self.conv_1.build(input_shape)
        inner = self.conv_1.compute_output_shape(input_shape)
        self.norm_1.build(inner)
        self.conv_2.build(inner)
        self.norm_2.build(inner)
        self.shortcut.build(self.pool.compute_output_shape(input_shape))
        self.shortcut_norm.build(inner)

    def call(self, x, training=False):
        short = self.shortcut_norm(self.shortcut(self.pool(x)), training=training)
        x = self.relu(self.norm_1(self.conv_1(x), training=training))
        x = self.norm_2(self.conv_2(x), training=training)
        return self.relu(x + short)

    def compute_output_shape(self, input_shape):
        return self.conv_1.compute_output_shape(input_shape)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "stride": self.stride}


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class ResidualStem(keras.layers.Layer):
    """A 3×3/2 convolution, then residual blocks, the first of each width strided: stride 2^(number of widths).

    Args:
        widths: sequence of ints, channels at stride 2, 4, 8, …. Defaults to (32, 64, 128).
        depth: int, residual blocks of each width after the first. Defaults to 2.

    Call arguments:
        images: float tensor (B, H, W, 3) in [0, 1].

    Returns:
        float tensor (B, ⌈H/stride⌉, ⌈W/stride⌉, widths[-1]).

    Example:
        >>> ResidualStem((32, 64, 128))(keras.ops.ones((1, 96, 96, 3))).shape
        (1, 12, 12, 128)
    """

    def __init__(self, widths=(32, 64, 128), depth=2, **kwargs):
        super().__init__(**kwargs)
        self.widths = tuple(widths)
        self.depth = depth
        dtype = self.dtype_policy
        self.conv = keras.layers.Conv2D(
            self.widths[0], 3, 2, padding="same", use_bias=False, kernel_initializer="he_normal",
            dtype=dtype, name="conv",
        )  # fmt: skip
        self.norm = BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=dtype, name="norm")
        self.relu = keras.layers.ReLU(dtype=dtype, name="relu")
        self.blocks = [
            ResidualBlock(width, stride=1 if repeat else 2, dtype=dtype, name=f"block_{stage}_{repeat}")
            for stage, width in enumerate(self.widths[1:])
            for repeat in range(depth)
        ]

    def build(self, input_shape):
        self.conv.build(input_shape)
        shape = self.conv.compute_output_shape(input_shape)
        self.norm.build(shape)
        for block in self.blocks:
            block.build(shape)
            shape = block.compute_output_shape(shape)

    def call(self, images, training=False):
        x = self.relu(self.norm(self.conv(images), training=training))
        for block in self.blocks:
            x = block(x, training=training)
        return x

    def compute_output_shape(self, input_shape):
        shape = self.conv.compute_output_shape(input_shape)
        for block in self.blocks:
            shape = block.compute_output_shape(shape)
        return shape

    def get_config(self):
        return {**super().get_config(), "widths": self.widths, "depth": self.depth}

"""The ResNet of the published model."""

import keras

from pix2seq_keras.errors import InputError
from pix2seq_keras.layers.batch_normalization import BatchNormalization

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
STRIDES = {"standard": 32, "c4": 16, "dc5": 16}
WIDTHS = (64, 128, 256, 512)


def _conv(filters, kernel, stride, dilation, dtype, name):
    """A convolution without bias. A strided one comes after `_pad`, the others pad by themselves."""
    return keras.layers.Conv2D(
        filters,
        kernel,
        stride,
        padding="same" if stride == 1 else "valid",
        dilation_rate=dilation,
        use_bias=False,
        kernel_initializer=keras.initializers.VarianceScaling(1.0, "fan_in", "truncated_normal"),
        dtype=dtype,
        name=name,
    )


def _pad(kernel, dtype, name):
    """Symmetric zero padding before a strided convolution: SAME would pad even sizes on the right only."""
    return keras.layers.ZeroPadding2D((kernel - 1) // 2, dtype=dtype, name=name)


def _norm(dtype, name, gamma="ones"):
    # The published model does not freeze batch norm. Training on several devices synchronises its statistics.
    return BatchNormalization(momentum=0.9, epsilon=1e-5, gamma_initializer=gamma, dtype=dtype, name=name)


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class Bottleneck(keras.layers.Layer):
    """1×1, 3×3 and 1×1 convolutions with batch norm around a shortcut; the stride is in the 3×3 (He et al. 2016).

    Args:
        filters: int, width inside; the output has four times as many channels.
        stride: int, of the 3×3. Defaults to 1.
        dilation: int, of the 3×3. Defaults to 1.
        project: bool, whether the shortcut is a (strided) 1×1 convolution with batch norm. Defaults to False.

    Call arguments:
        x: float tensor (B, h, w, any); without projection, of 4·filters channels.

    Returns:
        float tensor (B, ⌈h/stride⌉, ⌈w/stride⌉, 4·filters).
    """

    def __init__(self, filters, stride=1, dilation=1, project=False, **kwargs):
        super().__init__(**kwargs)
        self.config = {"filters": filters, "stride": stride, "dilation": dilation, "project": project}
        dtype = self.dtype_policy
        self.project = project
        if project:
            self.shortcut = _conv(4 * filters, 1, stride, 1, dtype, "shortcut")
            self.shortcut_norm = _norm(dtype, "shortcut_norm")
        self.conv_1, self.norm_1 = _conv(filters, 1, 1, 1, dtype, "conv_1"), _norm(dtype, "norm_1")
        self.pad = _pad(3, dtype, "pad") if stride > 1 else None
        self.conv_2, self.norm_2 = _conv(filters, 3, stride, dilation, dtype, "conv_2"), _norm(dtype, "norm_2")
        # The branch starts as zero, so that a deep stack starts as its shortcuts alone.
        self.conv_3, self.norm_3 = _conv(4 * filters, 1, 1, 1, dtype, "conv_3"), _norm(dtype, "norm_3", "zeros")
        self.relu = keras.layers.ReLU(dtype=dtype, name="relu")

    def build(self, input_shape):
        if self.project:
            self.shortcut.build(input_shape)
            self.shortcut_norm.build(self.shortcut.compute_output_shape(input_shape))
        self.conv_1.build(input_shape)
        shape = self.conv_1.compute_output_shape(input_shape)
        self.norm_1.build(shape)
        if self.pad is not None:
            shape = self.pad.compute_output_shape(shape)
        self.conv_2.build(shape)
        shape = self.conv_2.compute_output_shape(shape)
        self.norm_2.build(shape)
        self.conv_3.build(shape)
        self.norm_3.build(self.conv_3.compute_output_shape(shape))

    def call(self, x, training=False):
        short = self.shortcut_norm(self.shortcut(x), training=training) if self.project else x
        x = self.relu(self.norm_1(self.conv_1(x), training=training))
        if self.pad is not None:
            x = self.pad(x)
        x = self.relu(self.norm_2(self.conv_2(x), training=training))
        x = self.norm_3(self.conv_3(x), training=training)
        return self.relu(x + short)

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        stride = self.config["stride"]
        return (batch, -(-height // stride), -(-width // stride), 4 * self.config["filters"])

    def get_config(self):
        return {**super().get_config(), **self.config}


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class ResNet(keras.layers.Layer):
    """ResNet-50 or -101 of the published Pix2Seq; `ImageEncoder` adds the Transformer.

    Args:
        depth: int, 50 or 101. Defaults to 50.
        variant: str, `"standard"` four groups, stride 32; `"c4"` three groups, stride 16; `"dc5"` four groups, the last
            dilated instead of strided, stride 16. Defaults to `"standard"`.
        width_multiplier: float, multiplies all widths, including the stem's. Defaults to 1.

    Call arguments:
        images: float tensor (B, H, W, 3) in [0, 1], not standardised.

    Returns:
        float tensor (B, ⌈H/stride⌉, ⌈W/stride⌉, C), C = 2048 times the multiplier (`"c4"`: 1024).

    Raises:
        InputError: if depth or variant is unknown, or the multiplier results in no channels.

    Example:
        >>> ResNet(50, "c4", width_multiplier=0.125)(keras.ops.ones((1, 64, 80, 3))).shape
        (1, 4, 5, 128)
    """

    def __init__(self, depth=50, variant="standard", width_multiplier=1.0, **kwargs):
        super().__init__(**kwargs)
        if depth not in BLOCKS or variant not in STRIDES:
            raise InputError(
                f"`depth` must be {' or '.join(map(str, BLOCKS))}, and `variant` one of {', '.join(STRIDES)}. "
                f"Received: depth={depth}, variant={variant!r}."
            )
        widths = [int(width * width_multiplier) for width in WIDTHS]
        if widths[0] < 1:
            raise InputError(
                f"`width_multiplier` must be at least 1/{WIDTHS[0]}. Received: width_multiplier={width_multiplier}."
            )
        self.config = {"depth": depth, "variant": variant, "width_multiplier": width_multiplier}
        dtype = self.dtype_policy
        self.pad = _pad(7, dtype, "pad")
        self.conv, self.norm = _conv(widths[0], 7, 2, 1, dtype, "conv"), _norm(dtype, "norm")
        self.relu = keras.layers.ReLU(dtype=dtype, name="relu")
        self.pool = keras.layers.MaxPooling2D(3, 2, padding="same", dtype=dtype, name="pool")
        self.groups = []
        for index, width in enumerate(widths[:3] if variant == "c4" else widths):
            dilated = variant == "dc5" and index == 3
            self.groups.append(
                [
                    Bottleneck(
                        width,
                        stride=2 if repeat == 0 and index > 0 and not dilated else 1,
                        dilation=2 if dilated and repeat > 0 else 1,
                        project=repeat == 0,
                        dtype=dtype,
                        name=f"group_{index}_block_{repeat}",
                    )
                    for repeat in range(BLOCKS[depth][index])
                ]
            )

    def build(self, images_shape):
        shape = self.pad.compute_output_shape(images_shape)
        self.conv.build(shape)
        shape = self.conv.compute_output_shape(shape)
        self.norm.build(shape)
        shape = self.pool.compute_output_shape(shape)
        for group in self.groups:
            for block in group:
                block.build(shape)
                shape = block.compute_output_shape(shape)

    def call(self, images, training=False):
        x = self.pool(self.relu(self.norm(self.conv(self.pad(images)), training=training)))
        for group in self.groups:
            for block in group:
                x = block(x, training=training)
        return x

    def compute_output_shape(self, images_shape):
        batch, height, width, _ = images_shape
        stride = STRIDES[self.config["variant"]]
        return (batch, -(-height // stride), -(-width // stride), 4 * self.groups[-1][-1].config["filters"])

    def get_config(self):
        return {**super().get_config(), **self.config}

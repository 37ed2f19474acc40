"""The kernel of a dense layer as floating point, also where the layer keeps it in 8 or 4 bits."""

from keras import ops


def dense_kernel(dense):
    """The numbers that a dense layer multiplies by. `dense.kernel` of a quantised layer are integers without scale.

    Args:
        dense: `keras.layers.Dense`, built; quantised by `Pix2Seq.quantize`, or not.

    Returns:
        float tensor (in, out).

    Example:
        >>> x @ dense_kernel(dense) + dense.bias  # equals dense(x), but for an activation
    """
    kernel = ops.convert_to_tensor(dense.kernel)  # int8 (in, out) of a quantised layer, unpacked from 4 bits
    if dense.quantization_mode is None:
        return kernel
    scale = ops.convert_to_tensor(dense.kernel_scale)
    kernel = ops.cast(kernel, scale.dtype)
    if not hasattr(dense, "kernel_zero"):  # a scale for each output, (out,)
        return kernel / scale
    groups = ops.cast(dense.g_idx, "int32")  # (in,); scales and zeros are (groups, out)
    zero = ops.cast(ops.take(dense.kernel_zero, groups, axis=0), scale.dtype)
    return (kernel - zero) * ops.take(scale, groups, axis=0)

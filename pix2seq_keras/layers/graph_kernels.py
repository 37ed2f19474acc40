"""Matrix product and softmax for attention with one query, in the form that the runtime executes fastest.

In TensorFlow's executor, `tf.matmul` and `tf.nn.softmax` become oneDNN primitives. For one position, starting such a
primitive takes longer than its arithmetic.
"""

from keras import ops

# Number of scores from which a softmax takes longer than the start of its primitive.
LARGE_SOFTMAX = 8192


def batch_matmul(x, y):
    """x·y for float tensors (B, heads, n, m) and (B, heads, m, k), without oneDNN."""
    import tensorflow as tf  # only TensorFlow decodes this way, and the layers run on other backends too

    if y.dtype == tf.float16:
        return tf.matmul(x, y)  # BatchMatMulV3 has no float16 kernel on the CPU
    return tf.raw_ops.BatchMatMulV3(x=x, y=y, Tout=y.dtype)  # oneDNN replaces versions 1 and 2 only


def tflite_matmul(x, y):
    """x·y for TFLite, which multiplies a column y half as fast as the same numbers as a row."""
    import tensorflow as tf

    if y.shape[-1] != 1:
        return tf.matmul(x, y)
    batch, heads, length, width = tf.shape(x)[0], *x.shape[1:]
    row = tf.matmul(tf.reshape(y, [batch, heads, 1, width]), x, transpose_b=True)  # (B, heads, 1, n)
    return tf.reshape(row, [batch, heads, length, 1])


def softmax(scores):
    """Softmax over the last axis of a float tensor (B, heads, 1, n), without oneDNN if it is small."""
    if scores.shape[1] * scores.shape[3] >= LARGE_SOFTMAX:
        return ops.softmax(scores, axis=-1)
    exponentials = ops.exp(scores - ops.max(scores, axis=-1, keepdims=True))
    return exponentials / ops.sum(exponentials, axis=-1, keepdims=True)

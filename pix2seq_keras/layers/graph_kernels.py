"""Attention's two operations as TensorFlow's own executor, and TFLite, are quickest at them, for one query an image.

`tf.matmul` and `tf.nn.softmax` become oneDNN primitives in the executor, whose start takes longer than the work of one
position.
"""

from keras import ops

# From here on a softmax's work outweighs the start of its primitive.
LARGE_SOFTMAX = 8192


def batch_matmul(x, y):
    """x·y for (B, heads, n, m) and (B, heads, m, k)."""
    import tensorflow as tf  # layers run on other backends too, where nobody asks for this

    if y.dtype == tf.float16:
        return tf.matmul(x, y)  # version 3 has no such kernel on the CPU
    return tf.raw_ops.BatchMatMulV3(x=x, y=y, Tout=y.dtype)  # oneDNN takes over versions 1 and 2 only


def tflite_matmul(x, y):
    """The same for TFLite, which takes twice as long over a column y as over the row that it is as well."""
    import tensorflow as tf

    if y.shape[-1] != 1:
        return tf.matmul(x, y)
    batch, heads, length, width = tf.shape(x)[0], *x.shape[1:]
    row = tf.matmul(tf.reshape(y, [batch, heads, 1, width]), x, transpose_b=True)  # (B, heads, 1, n)
    return tf.reshape(row, [batch, heads, length, 1])


def softmax(scores):
    """Softmax over the last axis of (B, heads, 1, n)."""
    if scores.shape[1] * scores.shape[3] >= LARGE_SOFTMAX:
        return ops.softmax(scores, axis=-1)
    exponentials = ops.exp(scores - ops.max(scores, axis=-1, keepdims=True))
    return exponentials / ops.sum(exponentials, axis=-1, keepdims=True)

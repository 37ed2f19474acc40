"""How the keys and values of a position are written into the KV cache: the fastest way depends on the runtime."""

from keras import ops


def write_slice(cache, new, position):
    """Writes new (B, heads, 1, d) into a cache (B, heads, T, d) at `position`; in place under XLA."""
    return ops.slice_update(cache, (0, 0, position, 0), new)


def write_scatter(cache, new, position):
    """Writes as `write_slice`, row by row, for graphs that XLA does not compile."""
    batch, heads, length, width = ops.shape(cache)[0], *cache.shape[1:]
    rows = ops.arange(batch * heads, dtype="int32") * length + ops.cast(position, "int32")
    flat = ops.scatter_update(
        ops.reshape(cache, (-1, width)), ops.expand_dims(rows, -1), ops.reshape(new, (-1, width))
    )  # (B·heads·T, d)
    return ops.reshape(flat, (-1, heads, length, width))


def write_in_place(cache, new, position):
    """Writes as `write_slice` without a copy: it changes the cache it is given, so nothing else may read that cache.

    TensorFlow's executor would let `write_scatter` write in place too if nothing else held the cache, but a loop always
    holds it.
    """
    import tensorflow as tf  # only TensorFlow decodes this way, and the layers run on other backends too

    batch, heads, length, width = ops.shape(cache)[0], *cache.shape[1:]
    rows = ops.arange(batch * heads, dtype="int32") * length + ops.cast(position, "int32")
    flat, new = ops.reshape(cache, (-1, width)), ops.reshape(new, (-1, width))
    return ops.reshape(tf.raw_ops.InplaceUpdate(x=flat, i=rows, v=new), (-1, heads, length, width))


def empty_cache(shape, dtype, cache_write):
    """Zeros (B, heads, T, d), the cache before the first position; in memory of its own if it is written in place."""
    if cache_write != "in_place":
        return ops.zeros(shape, dtype)
    import tensorflow as tf

    # This operator is stateful, so the graph optimiser neither merges two caches nor turns one into a constant.
    return tf.raw_ops.Empty(shape=tf.stack(shape), dtype=dtype, init=True)


CACHE_WRITES = {
    "slice_update": write_slice,
    "scatter": write_scatter,
    "in_place": write_in_place,
    "tflite": write_slice,  # TFLite has an operator for it
}

# XLA writes in place if the cache is read first and written afterwards. Written first, it is copied several times a
# step. For TensorFlow's executor it is the reverse.
READ_BEFORE_WRITE = ("slice_update",)

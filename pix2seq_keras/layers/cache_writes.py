"""How a position's keys and values get into the cache: what is fast depends on what runs the graph."""

from keras import ops


def write_slice(cache, new, position):
    """Writes (B, heads, 1, d) into (B, heads, T, d) at `position`, in place under XLA."""
    return ops.slice_update(cache, (0, 0, position, 0), new)


def write_scatter(cache, new, position):
    """The same row by row, for graphs that XLA does not compile."""
    batch, heads, length, width = ops.shape(cache)[0], *cache.shape[1:]
    rows = ops.arange(batch * heads, dtype="int32") * length + ops.cast(position, "int32")
    flat = ops.scatter_update(
        ops.reshape(cache, (-1, width)), ops.expand_dims(rows, -1), ops.reshape(new, (-1, width))
    )  # (B·heads·T, d)
    return ops.reshape(flat, (-1, heads, length, width))


def write_in_place(cache, new, position):
    """The same without a copy: the cache that is given is changed, so nothing else may read it.

    TensorFlow's executor would let `write_scatter` write in place too where nobody else holds the cache; in a loop
    somebody always does.
    """
    import tensorflow as tf  # layers run on other backends too, where nobody asks for this

    batch, heads, length, width = ops.shape(cache)[0], *cache.shape[1:]
    rows = ops.arange(batch * heads, dtype="int32") * length + ops.cast(position, "int32")
    flat, new = ops.reshape(cache, (-1, width)), ops.reshape(new, (-1, width))
    return ops.reshape(tf.raw_ops.InplaceUpdate(x=flat, i=rows, v=new), (-1, heads, length, width))


def empty_cache(shape, dtype, cache_write):
    """Zeros (B, heads, T, d) that may be written to: of its own memory where the writing is in place."""
    if cache_write != "in_place":
        return ops.zeros(shape, dtype)
    import tensorflow as tf

    # Stateful, so that no optimiser merges two of them or keeps one from call to call as a constant.
    return tf.raw_ops.Empty(shape=tf.stack(shape), dtype=dtype, init=True)


def write_where(cache, new, position):
    """The same with a select over all positions: exported graphs may hold no XLA-only op."""
    return ops.where((ops.arange(cache.shape[2]) == position)[:, None], new, cache)


CACHE_WRITES = {
    "slice_update": write_slice,
    "scatter": write_scatter,
    "in_place": write_in_place,
    "where": write_where,
    "tflite": write_slice,  # TFLite has an operator of its own for it
}

# Where the cache is read as it was and written afterwards, XLA writes in place; one that is written and then read it
# copies, several times a step. TensorFlow's executor is the other way round.
READ_BEFORE_WRITE = ("slice_update",)

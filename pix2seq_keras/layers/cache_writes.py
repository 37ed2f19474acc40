"""How a position's keys and values get into the cache: what is fast depends on what runs the graph."""

from keras import ops


def write_slice(cache, new, position):
    """Writes (B, heads, 1, d) into (B, heads, T, d) at `position`, in place under XLA."""
    return ops.slice_update(cache, (0, 0, position, 0), new)


def write_scatter(cache, new, position):
    """The same row by row: TensorFlow's own graph executor does it in place."""
    batch, heads, length, width = ops.shape(cache)[0], *cache.shape[1:]
    rows = ops.arange(batch * heads, dtype="int32") * length + ops.cast(position, "int32")
    flat = ops.scatter_update(
        ops.reshape(cache, (-1, width)), ops.expand_dims(rows, -1), ops.reshape(new, (-1, width))
    )  # (B·heads·T, d)
    return ops.reshape(flat, (-1, heads, length, width))


def write_where(cache, new, position):
    """The same with a select over all positions: exported graphs may hold no XLA-only op."""
    return ops.where((ops.arange(cache.shape[2]) == position)[:, None], new, cache)


CACHE_WRITES = {"slice_update": write_slice, "scatter": write_scatter, "where": write_where}

# Where the cache is read as it was and written afterwards, XLA writes in place; one that is written and then read it
# copies, several times a step. TensorFlow's executor is the other way round: it writes in place what nobody else holds.
READ_BEFORE_WRITE = ("slice_update",)

"""Decoder blocks one position at a time: what the steps share is prepared once.

A step at batch 1 is bound by memory and by the number of operations, not by arithmetic. So the three projections of
self-attention are one matrix, a LayerNorm's scale and offset are part of the matrix behind it, keys and values of the
image are projected before the loop, and nothing is transposed in it.
"""

import keras
from keras import ops

from pix2seq_keras.layers import graph_kernels
from pix2seq_keras.layers.cache_writes import CACHE_WRITES, READ_BEFORE_WRITE

# Matrix product and softmax, by the way the cache is written, which says what will run the graph.
PORTABLE = (ops.matmul, ops.softmax)
GRAPH = (graph_kernels.batch_matmul, graph_kernels.softmax)
LITE = (graph_kernels.tflite_matmul, ops.softmax)
KERNELS = {"scatter": GRAPH, "in_place": GRAPH, "tflite": LITE}


def prepare_block(block):
    """The weights of a `DecoderBlock` as its steps want them.

    Args:
        block: `DecoderBlock`, built.

    Returns:
        Dictionary name -> (kernel (in, out), bias (out,)): `"qkv"` queries, keys and values side by side,
        `"self_output"`, `"cross_query"`, `"cross_output"`, `"hidden"`, `"output"`. Queries are already divided by
        √(dim / heads).
    """
    attention, cross, mlp = block.self_attention, block.cross_attention, block.mlp
    scale = (attention.dim // attention.num_heads) ** -0.5
    dtype = block.compute_dtype
    qkv = [_behind_norm(block.self_norm, dense) for dense in (attention.query, attention.key, attention.value)]
    qkv[0] = _scaled(qkv[0], scale)
    prepared = {
        "qkv": tuple(ops.concatenate(parts, axis=-1) for parts in zip(*qkv, strict=True)),
        "self_output": _centred(attention.output_dense),
        "cross_query": _scaled(_behind_norm(block.cross_norm, cross.query), scale),
        "cross_output": _centred(cross.output_dense),
        "hidden": _behind_norm(block.mlp_norm, mlp.hidden),
        "output": _centred(mlp.output_dense),
    }
    return {name: tuple(ops.cast(part, dtype) for part in parts) for name, parts in prepared.items()}


def step_block(x, position, weights, cache, cache_write, num_heads, epsilon):
    """One position of a block.

    Args:
        x: float tensor (B, dim), of mean 0 in every row.
        position: int scalar tensor.
        weights: of `prepare_block`.
        cache: dictionary of `"keys"`, `"values"` (B, heads, T, dim / heads), filled before `position`, and
            `"cross_keys"`, `"cross_values"` (B, heads, N, dim / heads).
        cache_write: str, of `CACHE_WRITES`.
        num_heads: int.
        epsilon: float, of the LayerNorms.

    Returns:
        float tensor (B, dim), of mean 0 too, and the new keys and values.
    """
    dim = x.shape[-1]
    heads = lambda y: ops.reshape(y, (-1, num_heads, 1, dim // num_heads))
    queries, *new = map(heads, ops.split(_dense(normalized(x, epsilon), weights["qkv"]), 3, axis=-1))
    earlier, write = (cache["keys"], cache["values"]), CACHE_WRITES[cache_write]
    positions, kernels = ops.arange(earlier[0].shape[2]), KERNELS.get(cache_write, PORTABLE)
    if cache_write in READ_BEFORE_WRITE:
        seen = _attend_with_new(queries, *earlier, positions < position, *new, dim)
        # What is written waits for what is read, or XLA would keep a copy of the cache for each.
        new = [one + 0.0 * heads(seen) for one in new]
    written = [write(old, one, position) for old, one in zip(earlier, new, strict=True)]
    if cache_write not in READ_BEFORE_WRITE:
        seen = _attend(queries, *written, positions <= position, dim, *kernels)
    x = x + _dense(seen, weights["self_output"])
    queries = heads(_dense(normalized(x, epsilon), weights["cross_query"]))
    looked = _attend(queries, cache["cross_keys"], cache["cross_values"], None, dim, *kernels)
    x = x + _dense(looked, weights["cross_output"])
    hidden = keras.activations.gelu(_dense(normalized(x, epsilon), weights["hidden"]))
    return x + _dense(hidden, weights["output"]), *written


def normalized(x, epsilon):
    """LayerNorm of what has mean 0, without scale and offset, in float32 inside."""
    wide = ops.cast(x, "float32")
    variance = ops.mean(ops.square(wide), axis=-1, keepdims=True)
    return ops.cast(wide * ops.rsqrt(variance + epsilon), x.dtype)


def _attend(queries, keys, values, mask, dim, matmul, softmax):
    """(B, heads, 1, d) over (B, heads, T, d) -> (B, dim)."""
    weights = ops.cast(softmax(_scores(queries, keys, mask, matmul)), values.dtype)
    return ops.reshape(matmul(weights, values), (-1, dim))


def _attend_with_new(queries, keys, values, mask, new_key, new_value, dim):
    """The same over (B, heads, T, d) and one more key and value (B, heads, 1, d) that is not among them."""
    scores = _scores(queries, keys, mask, ops.matmul)
    new_score = ops.sum(ops.cast(queries * new_key, "float32"), axis=-1, keepdims=True)  # (B, heads, 1, 1)
    highest = ops.maximum(ops.max(scores, axis=-1, keepdims=True), new_score)
    weights, new_weight = ops.exp(scores - highest), ops.exp(new_score - highest)
    total = ops.sum(weights, axis=-1, keepdims=True) + new_weight
    # Divided at the end: that is d numbers instead of T.
    mixed = ops.matmul(ops.cast(weights, values.dtype), values)
    mixed = ops.cast(mixed, "float32") + new_weight * ops.cast(new_value, "float32")
    return ops.reshape(ops.cast(mixed / total, values.dtype), (-1, dim))


def _scores(queries, keys, mask, matmul):
    """Keys times query: float32 (B, heads, 1, T), very negative where the mask (T,) is false."""
    heads, length, width = keys.shape[1:]
    # Not query times keys: the keys need no transposition, the query's is but another shape.
    scores = matmul(keys, ops.reshape(queries, (-1, heads, width, 1)))  # (B, heads, T, 1)
    scores = ops.cast(ops.reshape(scores, (-1, heads, 1, length)), "float32")
    return scores if mask is None else ops.where(mask, scores, -1e9)


def _dense(x, weights):
    kernel, bias = weights
    return ops.add(ops.matmul(x, kernel), bias)


def _centred(dense):
    """What it gives, less its mean: LayerNorms subtract the mean anyway, so the residual stream can go without."""
    return tuple(
        part - ops.mean(part, axis=-1, keepdims=True) for part in map(ops.convert_to_tensor, (dense.kernel, dense.bias))
    )


def _behind_norm(norm, dense):
    """LayerNorm's γ and β moved into the layer behind it: (γx̂ + β)W + b = x̂(γW) + (βW + b)."""
    kernel = ops.convert_to_tensor(dense.kernel)
    bias = ops.matmul(ops.expand_dims(norm.beta, 0), kernel)[0] + dense.bias
    return ops.expand_dims(norm.gamma, -1) * kernel, bias


def _scaled(weights, scale):
    return tuple(part * scale for part in weights)

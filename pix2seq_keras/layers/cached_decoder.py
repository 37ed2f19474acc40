"""Decoder blocks one position at a time: what the steps share is prepared once.

A step at batch 1 is bound by memory and by the number of operations, not by arithmetic. So the three projections of
self-attention are one matrix, a LayerNorm's scale and offset are part of the matrix behind it, keys and values of the
picture are projected before the loop, and nothing is transposed in it.
"""

import keras
from keras import ops


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
        "self_output": _plain(attention.output_dense),
        "cross_query": _scaled(_behind_norm(block.cross_norm, cross.query), scale),
        "cross_output": _plain(cross.output_dense),
        "hidden": _behind_norm(block.mlp_norm, mlp.hidden),
        "output": _plain(mlp.output_dense),
    }
    return {name: tuple(ops.cast(part, dtype) for part in parts) for name, parts in prepared.items()}


def step_block(x, position, weights, cache, write, num_heads, epsilon):
    """One position of a block.

    Args:
        x: float tensor (B, dim).
        position: int scalar tensor.
        weights: of `prepare_block`.
        cache: dictionary of `"keys"`, `"values"` (B, heads, T, dim / heads), filled before `position`, and
            `"cross_keys"`, `"cross_values"` (B, heads, N, dim / heads).
        write: function (cache, new (B, heads, 1, dim / heads), position) -> cache.
        num_heads: int.
        epsilon: float, of the LayerNorms.

    Returns:
        float tensor (B, dim), and the new keys and values.
    """
    dim = x.shape[-1]
    heads = lambda y: ops.reshape(y, (-1, num_heads, 1, dim // num_heads))
    queries, keys, values = ops.split(_dense(normalized(x, epsilon), weights["qkv"]), 3, axis=-1)
    keys = write(cache["keys"], heads(keys), position)
    values = write(cache["values"], heads(values), position)
    filled = ops.arange(keys.shape[2]) <= position  # (T,)
    x = x + _dense(_attend(heads(queries), keys, values, filled, dim), weights["self_output"])
    queries = heads(_dense(normalized(x, epsilon), weights["cross_query"]))
    looked = _attend(queries, cache["cross_keys"], cache["cross_values"], None, dim)
    x = x + _dense(looked, weights["cross_output"])
    hidden = keras.activations.gelu(_dense(normalized(x, epsilon), weights["hidden"]))
    return x + _dense(hidden, weights["output"]), keys, values


def normalized(x, epsilon):
    """LayerNorm without scale and offset, in float32 inside."""
    wide = ops.cast(x, "float32")
    centred = wide - ops.mean(wide, axis=-1, keepdims=True)
    variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)
    return ops.cast(centred * ops.rsqrt(variance + epsilon), x.dtype)


def _attend(queries, keys, values, mask, dim):
    """(B, heads, 1, d) over (B, heads, T, d) -> (B, dim)."""
    heads, length, width = keys.shape[1:]
    # Keys times query, not query times keys: the keys need no transposition, the query's is but another shape.
    scores = ops.matmul(keys, ops.reshape(queries, (-1, heads, width, 1)))  # (B, heads, T, 1)
    scores = ops.cast(ops.reshape(scores, (-1, heads, 1, length)), "float32")
    if mask is not None:
        scores = ops.where(mask, scores, -1e9)
    weights = ops.cast(ops.softmax(scores, axis=-1), values.dtype)
    return ops.reshape(ops.matmul(weights, values), (-1, dim))


def _dense(x, weights):
    kernel, bias = weights
    return ops.add(ops.matmul(x, kernel), bias)


def _plain(dense):
    return dense.kernel, dense.bias


def _behind_norm(norm, dense):
    """LayerNorm's γ and β moved into the layer behind it: (γx̂ + β)W + b = x̂(γW) + (βW + b)."""
    kernel = ops.convert_to_tensor(dense.kernel)
    bias = ops.matmul(ops.expand_dims(norm.beta, 0), kernel)[0] + dense.bias
    return ops.expand_dims(norm.gamma, -1) * kernel, bias


def _scaled(weights, scale):
    return tuple(part * scale for part in weights)

"""One decoding step of a decoder block, with weights that are prepared once for all steps.

The time of a step at batch 1 depends on memory traffic and on the number of operations, not on arithmetic. So the three
projections of self-attention are one matrix, the scale and offset of each LayerNorm are folded into the next dense
layer, keys and values of the image are projected before the loop, and nothing is transposed inside it.
"""

import keras
from keras import ops

from pix2seq_keras.layers import graph_kernels
from pix2seq_keras.layers.cache_writes import CACHE_WRITES, READ_BEFORE_WRITE
from pix2seq_keras.layers.dense_kernel import dense_kernel

# Matrix product and softmax for each way to write the cache, which implies the runtime of the graph.
PORTABLE = (ops.matmul, ops.softmax)
GRAPH = (graph_kernels.batch_matmul, graph_kernels.softmax)
LITE = (graph_kernels.tflite_matmul, ops.softmax)
KERNELS = {"scatter": GRAPH, "in_place": GRAPH, "tflite": LITE}


def prepare_block(block):
    """The weights of a `DecoderBlock` in the form that `step_block` takes.

    Args:
        block: `DecoderBlock`, built.

    Returns:
        Dictionary name -> (kernel (in, out), bias (out,)): `"qkv"` for queries, keys and values side by side,
        `"self_output"`, `"cross_query"`, `"cross_output"`, `"hidden"`, `"output"`. Queries are already divided by
        √(dim / heads).
    """
    attention, cross, mlp = block.self_attention, block.cross_attention, block.mlp
    scale = (attention.dim // attention.num_heads) ** -0.5
    dtype = block.compute_dtype
    qkv = [_fold_norm(block.self_norm, dense) for dense in (attention.query, attention.key, attention.value)]
    qkv[0] = _scaled(qkv[0], scale)
    prepared = {
        "qkv": tuple(ops.concatenate(parts, axis=-1) for parts in zip(*qkv, strict=True)),
        "self_output": _without_mean(attention.output_dense),
        "cross_query": _scaled(_fold_norm(block.cross_norm, cross.query), scale),
        "cross_output": _without_mean(cross.output_dense),
        "hidden": _fold_norm(block.mlp_norm, mlp.hidden),
        "output": _without_mean(mlp.output_dense),
    }
    return {name: tuple(ops.cast(part, dtype) for part in parts) for name, parts in prepared.items()}


def step_block(x, position, weights, cache, cache_write, num_heads, epsilon):
    """Decodes one position with a block.

    Args:
        x: float tensor (B, dim), of mean 0 in every row.
        position: int scalar tensor.
        weights: of `prepare_block`.
        cache: dictionary of `"keys"` and `"values"` (B, heads, T, dim / heads), which hold the positions before
            `position`, and of `"cross_keys"` and `"cross_values"` (B, heads, N, dim / heads).
        cache_write: str, of `CACHE_WRITES`.
        num_heads: int.
        epsilon: float, of the LayerNorms.

    Returns:
        float tensor (B, dim), also of mean 0 in every row; and the keys and values with this position written.
    """
    dim = x.shape[-1]
    heads = lambda y: ops.reshape(y, (-1, num_heads, 1, dim // num_heads))
    queries, *new = map(heads, ops.split(_dense(normalized(x, epsilon), weights["qkv"]), 3, axis=-1))
    cached, write = (cache["keys"], cache["values"]), CACHE_WRITES[cache_write]
    positions, kernels = ops.arange(cached[0].shape[2]), KERNELS.get(cache_write, PORTABLE)
    if cache_write in READ_BEFORE_WRITE:
        context = _attention_with_new(queries, *cached, positions < position, *new, dim)
        # The write must depend on the read, or XLA copies the cache to do both at once.
        new = [one + 0.0 * heads(context) for one in new]
    written = [write(old, one, position) for old, one in zip(cached, new, strict=True)]
    if cache_write not in READ_BEFORE_WRITE:
        context = _attention(queries, *written, positions <= position, dim, *kernels)
    x = x + _dense(context, weights["self_output"])
    queries = heads(_dense(normalized(x, epsilon), weights["cross_query"]))
    context = _attention(queries, cache["cross_keys"], cache["cross_values"], None, dim, *kernels)
    x = x + _dense(context, weights["cross_output"])
    hidden = keras.activations.gelu(_dense(normalized(x, epsilon), weights["hidden"]))
    return x + _dense(hidden, weights["output"]), *written


def normalized(x, epsilon):
    """LayerNorm without scale and offset of x with mean 0, computed in float32: (B, dim) -> (B, dim)."""
    wide = ops.cast(x, "float32")
    variance = ops.mean(ops.square(wide), axis=-1, keepdims=True)
    return ops.cast(wide * ops.rsqrt(variance + epsilon), x.dtype)


def _attention(queries, keys, values, mask, dim, matmul, softmax):
    """Attention of queries (B, heads, 1, d) over keys and values (B, heads, T, d) -> (B, dim)."""
    weights = ops.cast(softmax(_scores(queries, keys, mask, matmul)), values.dtype)
    return ops.reshape(matmul(weights, values), (-1, dim))


def _attention_with_new(queries, keys, values, mask, new_key, new_value, dim):
    """As `_attention`, over keys and values (B, heads, T, d) and a new key and value (B, heads, 1, d) beside them."""
    scores = _scores(queries, keys, mask, ops.matmul)
    new_score = ops.sum(ops.cast(queries * new_key, "float32"), axis=-1, keepdims=True)  # (B, heads, 1, 1)
    highest = ops.maximum(ops.max(scores, axis=-1, keepdims=True), new_score)
    weights, new_weight = ops.exp(scores - highest), ops.exp(new_score - highest)
    total = ops.sum(weights, axis=-1, keepdims=True) + new_weight
    # The division comes last: it is then of d numbers instead of T.
    context = ops.matmul(ops.cast(weights, values.dtype), values)
    context = ops.cast(context, "float32") + new_weight * ops.cast(new_value, "float32")
    return ops.reshape(ops.cast(context / total, values.dtype), (-1, dim))


def _scores(queries, keys, mask, matmul):
    """Scores float32 (B, heads, 1, T), very negative where the mask (T,) is false."""
    heads, length, width = keys.shape[1:]
    # Keys times query, not query times keys: so the keys are not transposed, and the query is only reshaped.
    scores = matmul(keys, ops.reshape(queries, (-1, heads, width, 1)))  # (B, heads, T, 1)
    scores = ops.cast(ops.reshape(scores, (-1, heads, 1, length)), "float32")
    return scores if mask is None else ops.where(mask, scores, -1e9)


def _dense(x, weights):
    kernel, bias = weights
    return ops.add(ops.matmul(x, kernel), bias)


def _without_mean(dense):
    """A dense layer whose outputs have mean 0. Every LayerNorm subtracts the mean anyway, so the result is the same."""
    parts = dense_kernel(dense), ops.convert_to_tensor(dense.bias)
    return tuple(part - ops.mean(part, axis=-1, keepdims=True) for part in parts)


def _fold_norm(norm, dense):
    """A dense layer with the γ and β of the LayerNorm before it folded in: (γx̂ + β)W + b = x̂(γW) + (βW + b)."""
    kernel = dense_kernel(dense)
    bias = ops.matmul(ops.expand_dims(norm.beta, 0), kernel)[0] + dense.bias
    return ops.expand_dims(norm.gamma, -1) * kernel, bias


def _scaled(weights, scale):
    return tuple(part * scale for part in weights)

"""The Transformer decoder: predicts the next token from the tokens before it and the encoded image."""

import keras
from keras import ops

from pix2seq_keras.layers.attention import Attention, causal_mask
from pix2seq_keras.layers.cache_writes import empty_cache
from pix2seq_keras.layers.cached_decoder import prepare_block, step_block
from pix2seq_keras.layers.drop_path import DropPath
from pix2seq_keras.layers.mlp import MLP
from pix2seq_keras.layers.normalization import layer_norm


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class DecoderBlock(keras.layers.Layer):
    """Pre-LN causal self-attention, cross-attention with LN on the queries only, MLP; each a residual.

    Args:
        dim: int, width of tokens and encoded image.
        mlp_dim: int, width inside the MLP.
        num_heads: int, divides `dim`.
        dropout: float in [0, 1), after the MLP's GELU. Defaults to 0.
        drop_path: float in [0, 1), stochastic depth of the three residuals. Defaults to 0.

    Call arguments:
        x: float tensor (B, L, dim).
        encoded: float tensor (B, N, dim).
        return_weights: bool, whether the cross-attention weights (B, heads, L, N) are a second output. Defaults to
            False.

    Returns:
        float tensor (B, L, dim).
    """

    def __init__(self, dim, mlp_dim, num_heads, dropout=0.0, drop_path=0.0, **kwargs):
        super().__init__(**kwargs)
        self.config = {
            "dim": dim,
            "mlp_dim": mlp_dim,
            "num_heads": num_heads,
            "dropout": dropout,
            "drop_path": drop_path,
        }
        dtype = self.dtype_policy
        self.self_norm = layer_norm("self_norm", dtype)
        self.self_attention = Attention(dim, num_heads, dtype=dtype, name="self_attention")
        self.cross_norm = layer_norm("cross_norm", dtype)
        self.cross_attention = Attention(dim, num_heads, dtype=dtype, name="cross_attention")
        self.mlp_norm = layer_norm("mlp_norm", dtype)
        self.mlp = MLP(mlp_dim, dropout, dtype=dtype, name="mlp")
        self.drop_path = DropPath(drop_path, dtype=dtype, name="drop_path")

    def build(self, x_shape, encoded_shape):
        self.self_norm.build(x_shape)
        self.self_attention.build(x_shape, x_shape)
        self.cross_norm.build(x_shape)
        self.cross_attention.build(x_shape, encoded_shape)
        self.mlp_norm.build(x_shape)
        self.mlp.build(x_shape)

    def call(self, x, encoded, training=False, return_weights=False):
        normed = self.self_norm(x)
        x = x + self.drop_path(self.self_attention(normed, normed, causal=True), training=training)
        context, weights = self.cross_attention(self.cross_norm(x), encoded, return_weights=True)
        x = x + self.drop_path(context, training=training)
        x = x + self.drop_path(self.mlp(self.mlp_norm(x), training=training), training=training)
        return (x, weights) if return_weights else x

    def prefill(self, x, cross_keys, cross_values):
        """`call` with the image's keys and values already projected; also returns those of the tokens, for the cache.

        Args:
            x: float tensor (B, L, dim).
            cross_keys: float tensor (B, heads, N, dim / heads), the image's projected keys.
            cross_values: float tensor (B, heads, N, dim / heads), the image's projected values.

        Returns:
            Output (B, L, dim), and the keys and values of self-attention (B, heads, L, dim / heads).
        """
        normed = self.self_norm(x)
        keys, values = self.self_attention.project_memory(normed)
        x = x + self.self_attention.compute_attention(normed, keys, values, causal_mask(ops.shape(x)[1]))[0]
        x = x + self.cross_attention.compute_attention(self.cross_norm(x), cross_keys, cross_values)[0]
        return x + self.mlp(self.mlp_norm(x)), keys, values

    def compute_output_shape(self, x_shape, encoded_shape):
        return x_shape

    def get_config(self):
        return {**super().get_config(), **self.config}


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class TransformerDecoder(keras.layers.Layer):
    """A stack of decoder blocks and a final LayerNorm, for whole sequences (`call`) or position by position (`step`).

    Args:
        num_layers: int, number of blocks.
        dim, mlp_dim, num_heads, dropout, drop_path: see `DecoderBlock`; the same in every block.

    Call arguments:
        x: float tensor (B, L, dim), embedded tokens.
        encoded: float tensor (B, N, dim), the encoded image.

    Returns:
        float tensor (B, L, dim).

    Example:
        >>> decoder = TransformerDecoder(2, dim=64, mlp_dim=256, num_heads=4)
        >>> x, encoded = keras.ops.ones((1, 5, 64)), keras.ops.ones((1, 9, 64))
        >>> hidden = decoder(x, encoded)
        >>> cache = decoder.init_cache(encoded, max_length=5)
        >>> first, cache = decoder.step(x[:, :1], 0, cache)  # equals hidden[:, :1]
    """

    def __init__(self, num_layers, dim, mlp_dim, num_heads, dropout=0.0, drop_path=0.0, **kwargs):
        super().__init__(**kwargs)
        self.config = {
            "num_layers": num_layers,
            "dim": dim,
            "mlp_dim": mlp_dim,
            "num_heads": num_heads,
            "dropout": dropout,
            "drop_path": drop_path,
        }
        self.blocks = [
            DecoderBlock(dim, mlp_dim, num_heads, dropout, drop_path, dtype=self.dtype_policy, name=f"block_{index}")
            for index in range(num_layers)
        ]
        self.output_norm = layer_norm("output_norm", self.dtype_policy)

    def build(self, x_shape, encoded_shape):
        for block in self.blocks:
            block.build(x_shape, encoded_shape)
        self.output_norm.build(x_shape)

    def call(self, x, encoded, training=False):
        for block in self.blocks:
            x = block(x, encoded, training=training)
        return self.output_norm(x)

    def cross_attention(self, x, encoded):
        """The cross-attention weights of every block.

        Args:
            x: float tensor (B, L, dim), embedded tokens.
            encoded: float tensor (B, N, dim), the encoded image.

        Returns:
            float tensor (B, layers, heads, L, N).
        """
        weights = []
        for block in self.blocks:
            x, block_weights = block(x, encoded, return_weights=True)
            weights.append(block_weights)
        return ops.stack(weights, axis=1)

    def init_cache(self, encoded, max_length, cache_write="slice_update"):
        """Makes the KV cache: the image's keys and values, and room for those of the tokens.

        Args:
            encoded: float tensor (B, N, dim); its keys and values are projected here, once.
            max_length: int T, number of positions.
            cache_write: str, how `step` will write to the cache. Defaults to `"slice_update"`.

        Returns:
            List with a dictionary for each block: `"keys"` and `"values"` (B, heads, T, dim / heads), zeros; and
            `"cross_keys"` and `"cross_values"` (B, heads, N, dim / heads).
        """
        dim, heads = self.config["dim"], self.config["num_heads"]
        shape = (ops.shape(encoded)[0], heads, max_length, dim // heads)
        empty, cache = lambda: empty_cache(shape, self.compute_dtype, cache_write), []
        for block in self.blocks:
            cross_keys, cross_values = block.cross_attention.project_memory(encoded)
            cache.append({"keys": empty(), "values": empty(), "cross_keys": cross_keys, "cross_values": cross_values})
        return cache

    def grow_cache(self, cache, max_length):
        """The same cache with room for `max_length` positions; attending to a short cache takes less time."""
        room = max_length - cache[0]["keys"].shape[2]
        grown = lambda x: ops.pad(x, ((0, 0), (0, 0), (0, room), (0, 0)))
        return [{**block, "keys": grown(block["keys"]), "values": grown(block["values"])} for block in cache]

    def reorder_cache(self, cache, rows):
        """The cache with the keys and values of the tokens in another order of rows; those of the images stay.

        Args:
            cache: of `init_cache` or `step`.
            rows: int tensor (B,): row i of the result is row rows[i] of `cache`.

        Returns:
            The cache as a new list.
        """
        take = lambda x: ops.take(x, rows, axis=0)
        return [{**block, "keys": take(block["keys"]), "values": take(block["values"])} for block in cache]

    def prefill(self, x, cache):
        """Decodes the first positions in one pass, with the same results as that many steps.

        Args:
            x: float tensor (B, L, dim), the embedded tokens of positions 0 … L − 1.
            cache: of `init_cache`, with max_length ≥ L.

        Returns:
            Hidden states (B, L, dim), and the cache for the step at position L.
        """
        prefilled = []
        for block, block_cache in zip(self.blocks, cache, strict=True):
            x, keys, values = block.prefill(x, block_cache["cross_keys"], block_cache["cross_values"])
            prefilled.append({**block_cache, "keys": keys, "values": values})
        return self.output_norm(x), self.grow_cache(prefilled, cache[0]["keys"].shape[2])

    def prepare(self):
        """The weights in the form that `step` takes, to be made once before many steps; see `prepare_block`."""
        return [prepare_block(block) for block in self.blocks]

    def step(self, x, position, cache, cache_write="slice_update", weights=None):
        """Decodes one position, with the same result as `call` at that position.

        Args:
            x: float tensor (B, 1, dim), the embedded token at `position`.
            position: int or int scalar tensor; all positions before it are in the cache.
            cache: of `init_cache` or the step before.
            cache_write: `"slice_update"` for XLA; `"scatter"`, which is faster in graphs that XLA does not compile;
                `"in_place"`, which is faster still and changes the cache it is given, made by `init_cache` for it; or
                `"tflite"` for TFLite. Defaults to `"slice_update"`.
            weights: of `prepare`, or `None` to prepare them now. Defaults to `None`.

        Returns:
            Hidden state (B, 1, dim) and the new cache.
        """
        num_heads, epsilon = self.config["num_heads"], self.output_norm.epsilon
        x, new_cache = x[:, 0], []
        x = x - ops.mean(x, axis=-1, keepdims=True)
        for prepared, block_cache in zip(self.prepare() if weights is None else weights, cache, strict=True):
            x, keys, values = step_block(x, position, prepared, block_cache, cache_write, num_heads, epsilon)
            new_cache.append({**block_cache, "keys": keys, "values": values})
        return self.output_norm(x)[:, None], new_cache

    def compute_output_shape(self, x_shape, encoded_shape):
        return x_shape

    def get_config(self):
        return {**super().get_config(), **self.config}

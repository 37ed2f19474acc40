"""The two-layer perceptron of every block."""

import keras


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class MLP(keras.layers.Layer):
    """Dense → exact GELU → dropout → Dense back to the input's width.

    Args:
        hidden_dim: int, width of the hidden layer.
        dropout: float in [0, 1), after the GELU. Defaults to 0.

    Call arguments:
        x: float tensor (..., D).

    Returns:
        float tensor (..., D).
    """

    def __init__(self, hidden_dim, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim
        self.dropout_rate = dropout
        self.hidden = keras.layers.Dense(hidden_dim, activation="gelu", dtype=self.dtype_policy, name="hidden")
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy, name="dropout")

    def build(self, input_shape):
        self.hidden.build(input_shape)
        self.output_dense = keras.layers.Dense(input_shape[-1], dtype=self.dtype_policy, name="output")
        self.output_dense.build((*input_shape[:-1], self.hidden_dim))

    def call(self, x, training=False):
        return self.output_dense(self.dropout(self.hidden(x), training=training))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "hidden_dim": self.hidden_dim, "dropout": self.dropout_rate}

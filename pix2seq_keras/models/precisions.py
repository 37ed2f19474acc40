"""The precisions to compute in, without TensorFlow, so that recipes can check theirs."""

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")  # Keras's dtype policies; weights are float32 in all

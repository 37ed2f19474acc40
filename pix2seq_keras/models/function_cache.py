"""The compiled functions of a model: each is made at its first use and kept as long as the model lives."""

from pix2seq_keras.models import detection, generation


class FunctionCache:
    """Mixed into `keras.Model`: the graphs behind `generate`, `detect` and `stream`."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._functions = {}

    def encoder_function(self):
        """`encode` as one graph: float32 (B, H, W, 3) -> (B, N, D)."""
        return self._cached("encoder", lambda: generation.make_encoder(self))

    def decoder_function(self, options, jit_compile=False, prompt_length=0):
        """The decoding of sequences as one graph; see `generation.make_decoder`."""
        options = generation.sequence_options(options)
        make = lambda: generation.make_decoder(self, options, jit_compile, prompt_length)
        return self._cached(("decoder", options, jit_compile, prompt_length), make)

    def stepwise_functions(self, options):
        """The decoding in pieces; see `generation.make_stepwise`."""
        options = generation.sequence_options(options)
        return self._cached(("stepwise", options), lambda: generation.make_stepwise(self, options))

    def detector_function(self, options, jit_compile=False):
        """The whole way from canvas to objects as one graph; see `detection.make_detector`."""
        options = detection.detector_options(options)
        make = lambda: detection.make_detector(self, options, jit_compile)
        return self._cached(("detector", options, jit_compile), make)

    def _cached(self, key, make):
        if key not in self._functions:
            self._functions[key] = make()
        return self._functions[key]

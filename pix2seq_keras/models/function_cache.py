"""What a Pix2Seq has compiled so far: the graphs behind `generate` and `stream`, each made at its first use."""

from pix2seq_keras.models import generation


class FunctionCache:
    """Keeps compiled functions for as long as the model lives, mixed into `keras.Model`."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._functions = {}

    def encoder_function(self):
        """`encode` compiled once: float32 (B, H, W, 3) -> (B, N, D)."""
        return self._compiled("encoder", lambda: generation.make_encoder(self))

    def decoder_function(self, options, jit_compile=False, prompt_length=0):
        """The decoding compiled once for `options`; see `generation.make_decoder`."""
        make = lambda: generation.make_decoder(self, options, jit_compile, prompt_length)
        return self._compiled((options, jit_compile, prompt_length), make)

    def stepwise(self, options):
        """The decoding in pieces, compiled once for `options`; see `generation.make_stepwise`."""
        return self._compiled((options, "stepwise"), lambda: generation.make_stepwise(self, options))

    def _compiled(self, key, make):
        if key not in self._functions:
            self._functions[key] = make()
        return self._functions[key]

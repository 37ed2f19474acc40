"""The decoding loop, built and run in one call."""

import pytest

from pix2seq_keras.decoding import BeamSearchLoop, DecodingLoop, DecodingOptions, samplers


@pytest.fixture(scope="session")
def run_loop():
    """A function that decodes with a step and a cache: the result of the loop as NumPy arrays."""

    def run(step, cache, vocabulary, seeds, projection=None, reorder=None, **options):
        options = DecodingOptions(**options).complete(max_length=500)
        if isinstance(options.sampler, samplers.BeamSearch):
            loop = BeamSearchLoop(step, vocabulary, options, projection, reorder=reorder)
        else:
            loop = DecodingLoop(step, vocabulary, options, projection)
        result = loop.result(loop.run(loop.start(cache, seeds), loop.length))
        return {name: value.numpy() for name, value in result.items()}

    return run

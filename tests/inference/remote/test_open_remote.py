"""A client of a server becomes a detector, if the model was exported by `pix2seq export`."""

import json
import types

import numpy as np
import pytest

from pix2seq_keras import InputError
from pix2seq_keras.inference import RefusedCallError
from pix2seq_keras.inference.remote.open_remote import open_remote

DESCRIPTION = {
    "format": "pix2seq_keras",
    "format_version": 2,
    "categories": {"ids": [2, 7], "names": ["dog", "cat"]},
    "image_size": [32, 32],
    "options": {"max_objects": 3},
}
SIGNATURES = {"serving_default": ["image_bytes"], "describe": ["keys"]}


def client(signatures, response):
    """A client whose model has the given signatures and answers every call alike."""

    def call(signature, inputs):
        if isinstance(response, Exception):
            raise response
        return response

    return types.SimpleNamespace(where="grpc://host:1/toy", signatures=lambda: signatures, call=call)


def test_the_description_is_read_from_the_model():
    text = np.array([json.dumps(DESCRIPTION).encode()], object)
    detector = open_remote(client(SIGNATURES, {"description": text}))
    assert detector.categories.names == ("dog", "cat")
    assert (detector.image_size, detector.signature, detector.where) == (
        (32, 32),
        "serving_default",
        "grpc://host:1/toy",
    )


@pytest.mark.parametrize(
    "signatures, response, message",
    [
        ({"serving_default": ["x"]}, {}, "no signature takes image_bytes"),
        ({"serving_default": ["image_bytes"]}, {}, "does not describe itself as a model of `pix2seq export`"),
        (SIGNATURES, {}, "does not describe itself as a model of `pix2seq export`"),
        (SIGNATURES, RefusedCallError("bad thing"), "refused the request for its description: bad thing"),
    ],
)
def test_models_of_other_exporters_are_refused(signatures, response, message):
    with pytest.raises(InputError, match=message):
        open_remote(client(signatures, response))

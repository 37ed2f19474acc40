"""Turns a client of a model server into a detector. The protocol, gRPC or REST, is the client's."""

import numpy as np

from pix2seq_keras.errors import InputError
from pix2seq_keras.exporting.description import parse_description
from pix2seq_keras.inference.exported import ExportedDetector, RefusedCallError
from pix2seq_keras.inference.saved_model import image_signature


def open_remote(client):
    """Reads the description of a served model and makes a detector of it.

    Args:
        client: `GrpcClient` or `RestClient`, an object with `signatures()`, `call(signature, inputs)` and `where`, the
            model's URL for messages.

    Returns:
        `ExportedDetector`.

    Raises:
        InputError: if the model was not exported by `pix2seq export`, or the server cannot be reached.
    """
    text = b"{}"  # parse_description refuses it: a model without a description comes from another exporter
    try:
        inputs_of = client.signatures()
        signature = image_signature(inputs_of, client.where)
        if "describe" in inputs_of:
            keys = {name: np.array([b"description"], object) for name in inputs_of["describe"]}
            response = client.call("describe", keys)
            text = next(iter(np.ravel(response.get("description", text))), text)
    except RefusedCallError as error:
        raise InputError(f"{client.where} refused the request for its description: {error}") from error
    return ExportedDetector(client.call, parse_description(text, client.where), client.where, signature)

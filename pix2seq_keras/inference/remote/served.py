"""A model on a server becomes a detector, whatever the wire."""

import numpy as np

from pix2seq_keras.errors import InputError
from pix2seq_keras.exporting.description import parse_description
from pix2seq_keras.inference.exported import ExportedDetector, RefusedCallError
from pix2seq_keras.inference.saved_model import image_signature


def open_served(client):
    """Asks a served model what it is.

    Args:
        client: object with `signatures()`, a dictionary of signature -> the names of its inputs; `call`, see
            `ExportedDetector`; and `where`, what messages call the model.

    Returns:
        `ExportedDetector`.

    Raises:
        InputError: if it is not a model of `pix2seq export`, or cannot be asked.
    """
    text = b"{}"  # which is refused: another exporter's model does not describe itself
    try:
        inputs_of = client.signatures()
        signature = image_signature(inputs_of, client.where)
        if "describe" in inputs_of:
            keys = {name: np.array([b"description"], object) for name in inputs_of["describe"]}
            answer = client.call("describe", keys)
            text = next(iter(np.ravel(answer.get("description", text))), text)
    except RefusedCallError as error:
        raise InputError(f"{client.where} does not tell what it is: {error}") from error
    return ExportedDetector(client.call, parse_description(text, client.where), client.where, signature)

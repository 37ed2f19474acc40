"""Decodes encoded images in the graph, as strictly as a server needs: headers are checked before pixels are decoded."""

from pix2seq_keras.exporting.image_decoding.decode import DEFAULT_MAX_PIXELS, decode_image

__all__ = ["DEFAULT_MAX_PIXELS", "decode_image"]

"""Pix2Seq itself, and its presets."""

from pix2seq_keras.models.pix2seq import Pix2Seq

__all__ = ["Pix2Seq"]

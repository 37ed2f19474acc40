"""Timed comparisons: `pix2seq benchmark …`. Tests never depend on times."""

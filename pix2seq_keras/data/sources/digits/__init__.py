"""Scenes of handwritten digits, drawn on first use."""

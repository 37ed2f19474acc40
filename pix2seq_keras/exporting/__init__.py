"""Exported models: SavedModel and TFLite files, what describes them, and encoded images decoded in the graph."""

"""Image files: one decoder for training, evaluation and prediction, and a cache of reduced images."""

"""`tensorflow_datasets` data sets, and TFRecord files that describe themselves."""

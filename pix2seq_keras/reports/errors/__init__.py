"""The report on the errors of a model: `pix2seq evaluate --report`."""

"""The report on a data source: `pix2seq data check` and `pix2seq data preview`."""

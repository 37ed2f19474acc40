"""A look at data before training: counts, irregularities, near-duplicates, as a table and as a page."""

from pix2seq_keras.inspection.check import DataReport, check_source
from pix2seq_keras.inspection.duplicates import near_duplicates
from pix2seq_keras.inspection.fingerprints import Fingerprint, fingerprint
from pix2seq_keras.inspection.page import write_page
from pix2seq_keras.inspection.table import print_report

__all__ = [
    "DataReport",
    "Fingerprint",
    "check_source",
    "fingerprint",
    "near_duplicates",
    "print_report",
    "write_page",
]

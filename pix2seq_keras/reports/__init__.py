"""A look at data before training, and at a model's errors after it: tables, plots and images on one page."""

from pix2seq_keras.reports.dataset.check import DataReport, check_source
from pix2seq_keras.reports.dataset.duplicates import near_duplicates
from pix2seq_keras.reports.dataset.fingerprints import Fingerprint, fingerprint
from pix2seq_keras.reports.dataset.page import write_page
from pix2seq_keras.reports.dataset.table import print_report
from pix2seq_keras.reports.errors.analysis import EvaluationReport, report_evaluation
from pix2seq_keras.reports.errors.page import write_evaluation_page

__all__ = [
    "DataReport",
    "EvaluationReport",
    "Fingerprint",
    "check_source",
    "fingerprint",
    "near_duplicates",
    "print_report",
    "report_evaluation",
    "write_evaluation_page",
    "write_page",
]

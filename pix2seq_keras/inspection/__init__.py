"""A look at data before training, and at a model's errors after it: tables, plots and pictures on one page."""

from pix2seq_keras.inspection.check import DataReport, check_source
from pix2seq_keras.inspection.duplicates import near_duplicates
from pix2seq_keras.inspection.evaluation import EvaluationReport, report_evaluation
from pix2seq_keras.inspection.evaluation_page import write_evaluation_page
from pix2seq_keras.inspection.fingerprints import Fingerprint, fingerprint
from pix2seq_keras.inspection.page import write_page
from pix2seq_keras.inspection.table import print_report

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

"""A look at data before training, and at a model's errors after it: tables, plots and images on one page."""

from pix2seq_keras.lazy_exports import lazy_exports

__all__ = lazy_exports(
    __name__,
    {
        "pix2seq_keras.reports.dataset.check": ["DataReport", "check_source"],
        "pix2seq_keras.reports.dataset.duplicates": ["near_duplicates"],
        "pix2seq_keras.reports.dataset.fingerprints": ["Fingerprint", "fingerprint"],
        "pix2seq_keras.reports.dataset.page": ["write_page"],
        "pix2seq_keras.reports.dataset.table": ["print_report"],
        "pix2seq_keras.reports.errors.analysis": ["EvaluationReport", "report_evaluation"],
        "pix2seq_keras.reports.errors.page": ["write_evaluation_page"],
    },
)

"""Reports on data before training (`dataset/`) and on the errors of a model after it (`errors/`)."""

from pix2seq_keras.lazy_exports import lazy_exports

__all__ = lazy_exports(
    __name__,
    {
        "pix2seq_keras.reports.dataset.check": ["DataReport", "check_source"],
        "pix2seq_keras.reports.dataset.page": ["write_data_page"],
        "pix2seq_keras.reports.dataset.preview": ["save_training_gallery"],
        "pix2seq_keras.reports.dataset.table": ["print_data_report"],
        "pix2seq_keras.reports.errors.analysis": ["EvaluationReport", "build_evaluation_report"],
        "pix2seq_keras.reports.errors.page": ["write_evaluation_page"],
    },
)

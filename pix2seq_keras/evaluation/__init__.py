"""Scores of detectors, as COCO defines them."""

from pix2seq_keras.lazy_exports import lazy_exports

__all__ = lazy_exports(
    __name__,
    {
        "pix2seq_keras.evaluation.callback": ["CocoEvaluation"],
        "pix2seq_keras.evaluation.coco_evaluator": ["CocoEvaluator", "coco_results"],
        "pix2seq_keras.evaluation.evaluate": ["evaluate_source"],
    },
)

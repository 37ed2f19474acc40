"""COCO evaluation: scores, the callback for training, and the types of errors."""

from pix2seq_keras.lazy_exports import lazy_exports

__all__ = lazy_exports(
    __name__,
    {
        "pix2seq_keras.evaluation.callback": ["CocoEvaluation"],
        "pix2seq_keras.evaluation.coco_evaluator": ["CocoEvaluator"],
        "pix2seq_keras.evaluation.evaluate": ["evaluate", "evaluate_source"],
        "pix2seq_keras.inference.coco_results": ["coco_results"],
    },
)

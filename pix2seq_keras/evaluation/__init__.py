"""Scores of detectors, as COCO defines them."""

from pix2seq_keras.evaluation.callback import CocoEvaluation
from pix2seq_keras.evaluation.coco_evaluator import CocoEvaluator, coco_results
from pix2seq_keras.evaluation.evaluate import evaluate_source

__all__ = ["CocoEvaluation", "CocoEvaluator", "coco_results", "evaluate_source"]

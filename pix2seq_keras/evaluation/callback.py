"""AP during training, as metrics of the epoch, and the best model so far on disk."""

import math
from pathlib import Path

import keras

from pix2seq_keras.errors import InputError
from pix2seq_keras.evaluation.evaluate import evaluate_source
from pix2seq_keras.models.saving import save_model

_LOGGED = ("AP", "AP50", "AP75")


class CocoEvaluation(keras.callbacks.Callback):
    """Evaluates the model in training on a source at the end of every so many epochs.

    Puts "val_AP", "val_AP50" and "val_AP75" into the epoch's logs, for the callbacks after it in the list
    (`CSVLogger`, `EarlyStopping`, …) and for the `History` that `fit` returns. Every epoch has the keys, NaN
    where nothing was evaluated, so that a CSV has its columns from the first row on. The last epoch is always
    evaluated.

    Args:
        source: A data source with truth; see `evaluate_source`.
        every: Integer, evaluate at the end of every so many epochs. Default: 1.
        max_images: Integer or None, evaluate on the first so many images only. Default: None, all.
        batch_size: Integer, images a call of `model.detect`. Default: 8.
        best_path: `.keras` path where the model with the best AP so far is kept; None keeps none. Default:
            None.
        prefix: String before the names in the logs. Default: `"val_"`.
        best: Float or None, the AP of the model that is already at `best_path`, for a resumed training; it is
            replaced only by a better one. Default: None, the first evaluation is saved whatever its AP.
        progress: Whether to show a progress bar of its own while evaluating. Default: False.
        **detect_options: Passed on to `model.detect`.

    Attributes:
        best: Float or None, the best AP so far.
        history: List of `evaluate_source` results, each with its "epoch" (from 0, as Keras counts).

    Example:
    ```python
    evaluation = CocoEvaluation(source, every=5, max_images=200, best_path="run/best.keras")
    model.fit(dataset, epochs=40, callbacks=[evaluation, keras.callbacks.CSVLogger("run/metrics.csv")])
    print(evaluation.best)
    ```
    """

    def __init__(
        self,
        source,
        every=1,
        max_images=None,
        batch_size=8,
        best_path=None,
        prefix="val_",
        best=None,
        progress=False,
        **detect_options,
    ):
        super().__init__()
        if every < 1:
            raise InputError(f"`every` counts epochs between evaluations and must be at least 1. Received: {every}.")
        if best_path is not None and Path(best_path).suffix != ".keras":
            raise InputError(f"`best_path` must end in .keras. Received: {best_path}.")
        self.source = source
        self.every = every
        self.max_images = max_images
        self.batch_size = batch_size
        self.best_path = None if best_path is None else Path(best_path)
        self.prefix = prefix
        self.best = best
        self.progress = progress
        self.detect_options = detect_options
        self.history = []

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        result = self._evaluate(epoch) if self._is_due(epoch) else {}
        for name in _LOGGED:
            value = result.get(name)
            logs[self.prefix + name] = math.nan if value is None else value

    def _is_due(self, epoch):
        is_last = epoch + 1 == self.params.get("epochs") or self.model.stop_training
        return is_last or (epoch + 1) % self.every == 0

    def _evaluate(self, epoch):
        result, _ = evaluate_source(
            self.model,
            self.source,
            batch_size=self.batch_size,
            max_images=self.max_images,
            progress=self.progress,
            **self.detect_options,
        )
        self.history.append({"epoch": epoch, **result})
        ap = result["AP"]  # None where the source has no objects
        if self.best is None or (ap is not None and ap > self.best):
            self.best = ap
            if self.best_path is not None:
                save_model(self.model, self.best_path)
        return result

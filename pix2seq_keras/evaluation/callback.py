"""A Keras callback that logs AP during training and saves the best model so far."""

import contextlib
import math
from pathlib import Path

import keras

from pix2seq_keras.errors import InputError
from pix2seq_keras.evaluation.evaluate import evaluate_source
from pix2seq_keras.models.saving import save_model

_LOGGED = ("AP", "AP50", "AP75")


class CocoEvaluation(keras.callbacks.Callback):
    """Evaluates the model on a source during training, at the end of every `every` epochs.

    Adds "val_AP", "val_AP50" and "val_AP75" to the logs of the epoch. The callbacks after it in the list
    (`CSVLogger`, `EarlyStopping`, …) and the `History` that `fit` returns contain them. Every epoch has the keys, NaN
    where nothing was evaluated, so that a CSV file has its columns from the first row on. The last epoch is always
    evaluated.

    Args:
        source: `pix2seq_keras.data.sources.Source`, images with ground truth.
        every: int, number of epochs between two evaluations. Defaults to 1.
        max_images: int or `None`, evaluate only the first so many images. Defaults to `None`, all images.
        batch_size: int, images in each call of `model.detect`. Defaults to 8.
        best_path: str or path ending in `.keras`, where the model with the best AP so far is saved; `None` saves no
            model. Defaults to `None`.
        prefix: str, prefix of the names in the logs. Defaults to `"val_"`.
        best: float or `None`, AP of the model already at `best_path`, for a resumed training: only a better model
            replaces it. Defaults to `None`, the first evaluated model is saved whatever its AP.
        progress: bool, whether to show a progress bar while evaluating. Defaults to `False`.
        last_epoch: int or `None`, the last epoch of the training (from 0, as Keras counts), which is always evaluated.
            Defaults to `None`, the last one of the call of `fit`.
        context: function of the model that returns a context manager, in which the model is evaluated and saved: for
            example one that gives it averaged weights. Defaults to `None`, the model as it is.
        **overrides: arguments of `model.detect`: `options`, a `DecodingOptions`, or fields of it.

    Attributes:
        best: float or `None`, the best AP so far.
        history: list of dict, the results of `evaluate_source`, each with its `"epoch"` (from 0, as Keras counts).

    Raises:
        InputError: if `every` is below 1 or `best_path` does not end in `.keras`.

    Example:
        >>> evaluation = CocoEvaluation(source, every=5, max_images=200, best_path="run/best.keras")
        >>> model.fit(dataset, epochs=40, callbacks=[evaluation, keras.callbacks.CSVLogger("run/metrics.csv")])
        >>> evaluation.best
        0.412
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
        last_epoch=None,
        context=None,
        **overrides,
    ):
        super().__init__()
        if every < 1:
            raise InputError(f"`every` must be at least 1 epoch. Received: every={every}.")
        if best_path is not None and Path(best_path).suffix != ".keras":
            raise InputError(f"`best_path` must end in .keras. Received: best_path={best_path}.")
        self.source = source
        self.every = every
        self.max_images = max_images
        self.batch_size = batch_size
        self.best_path = None if best_path is None else Path(best_path)
        self.prefix = prefix
        self.best = best
        self.progress = progress
        self.last_epoch = last_epoch
        self.context = context or (lambda model: contextlib.nullcontext())
        self.overrides = overrides
        self.history = []

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        result = {}
        if self._is_due(epoch):
            with self.context(self.model):
                result = self._evaluate(epoch)
        for name in _LOGGED:
            value = result.get(name)
            logs[self.prefix + name] = math.nan if value is None else value

    def _is_due(self, epoch):
        last = self.params.get("epochs", 0) - 1 if self.last_epoch is None else self.last_epoch
        is_last = epoch == last or self.model.stop_training
        return is_last or (epoch + 1) % self.every == 0

    def _evaluate(self, epoch):
        result, _ = evaluate_source(
            self.model,
            self.source,
            batch_size=self.batch_size,
            max_images=self.max_images,
            progress=self.progress,
            **self.overrides,
        )
        self.history.append({"epoch": epoch, **result})
        ap = result["AP"]  # None where the source has no objects
        if self.best is None or (ap is not None and ap > self.best):
            self.best = ap
            if self.best_path is not None:
                save_model(self.model, self.best_path)
        return result

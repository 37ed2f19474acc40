"""Calls of `model.fit` that continue a run at any step."""

import keras

from pix2seq_keras.training.run_state import restore_epoch


def fit_from(model, batches_from, recipe, progress, callbacks, state=None):
    """Trains the steps of a run that are left: the rest of a begun epoch, whole epochs, and a shorter last one.

    Args:
        model: compiled `Pix2Seq`.
        batches_from: function of the number of steps done -> `tf.data.Dataset` that begins with the next step's batch.
        recipe: `Recipe`, for its `steps` and `epoch_steps`.
        progress: dict as `run_state.START`, where the run continues.
        callbacks: list of Keras callbacks; they see epochs as if nothing had stopped the run.
        state: `pathlib.Path` of the state that was loaded, for an epoch that had begun, or None. Defaults to None.
    """
    epoch, step = progress["epoch"], progress["step"]
    if step > epoch * recipe.epoch_steps:
        end = min((epoch + 1) * recipe.epoch_steps, recipe.steps)
        restore = _RestoreEpoch(state)
        if step < end:
            _fit(model, batches_from(step), epoch, epoch + 1, end - step, [*callbacks, restore])
        else:
            _finish_epoch(model, epoch, [*callbacks, restore])
        epoch, step = epoch + 1, end
    whole, rest = divmod(recipe.steps, recipe.epoch_steps)
    if epoch < whole:
        _fit(model, batches_from(step), epoch, whole, recipe.epoch_steps, callbacks)
        epoch, step = whole, whole * recipe.epoch_steps
    if step < recipe.steps and rest:
        _fit(model, batches_from(step), epoch, epoch + 1, rest, callbacks)


def whole_epochs(progress, recipe):
    """The epochs that are complete. A shorter last one, with which a run ended, goes on where there are more steps now.

    Args:
        progress: dict as `run_state.START`.
        recipe: `Recipe`, for its `steps` and `epoch_steps`.

    Returns:
        int.
    """
    was_short = progress["step"] < min(progress["epoch"] * recipe.epoch_steps, recipe.steps)
    return progress["epoch"] - was_short


def _fit(model, dataset, first, end, steps, callbacks):
    model.fit(
        dataset,
        initial_epoch=first,
        epochs=end,
        steps_per_epoch=steps,
        verbose=0,
        shuffle=False,
        callbacks=list(callbacks),
    )


def _finish_epoch(model, epoch, callbacks):
    """All steps were done, but not what follows at the end of the epoch."""
    callbacks = keras.callbacks.CallbackList(callbacks, model=model, epochs=epoch + 1)
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(epoch)
    callbacks.on_epoch_end(epoch, {name: float(value) for name, value in model.get_metrics_result().items()})
    callbacks.on_train_end()


class _RestoreEpoch(keras.callbacks.Callback):
    """Restores the sums of metrics and the random states of an epoch that had begun; the last of the callbacks."""

    def __init__(self, state):
        super().__init__()
        self.state = state

    def on_epoch_begin(self, epoch, logs=None):
        restore_epoch(self.state, self.model)

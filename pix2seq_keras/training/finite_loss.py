"""Stops a run at the first loss that is not finite, before it reaches any file of the run."""

import math

import keras

from pix2seq_keras.errors import InputError
from pix2seq_keras.models.finite_weights import first_weight_that_is_not_finite

_MOST_NAMED = 8  # images in the message


class FiniteLoss(keras.callbacks.Callback):
    """Checks the loss of every step, and the weights at the end of every epoch.

    It stands before all callbacks that write: state, best and last weights stay those from before. The loss of a step
    is computed before its update, so an update that destroys the weights shows in the next step; after the last step of
    an epoch, only the weights show it.

    Args:
        first_step: int, steps done before this process.
        total_steps: int, steps of the whole run.
        images_of: function of a step (from 1) -> list of str, its images.

    Raises:
        InputError: in `fit`, with the step and its images.
    """

    def __init__(self, first_step, total_steps, images_of):
        super().__init__()
        self.step = first_step
        self.total_steps = total_steps
        self.images_of = images_of

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        # The metric is the mean since the epoch began: once a loss is not finite, the mean is not either.
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            raise self._error("The loss", f"loss={loss}")

    def on_epoch_end(self, epoch, logs=None):
        bad = first_weight_that_is_not_finite(self.model)
        if bad is not None:
            raise self._error("The weights", f"NaN or infinity in {bad}, from the update")

    def _error(self, what, received):
        images = self.images_of(self.step)
        named = ", ".join(images[:_MOST_NAMED]) + (
            f" and {more} more" if (more := len(images) - _MOST_NAMED) > 0 else ""
        )
        return InputError(
            f"{what} must be finite. Received: {received} at step {self.step}/{self.total_steps}, of the images "
            f"{named}. The run is stopped; its files are those of the last whole epoch before. Look at these images "
            "and their boxes; if they are good, train anew with a lower optimizer.learning_rate, a smaller "
            "optimizer.clipnorm, or in another precision."
        )

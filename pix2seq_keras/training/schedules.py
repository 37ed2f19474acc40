"""The learning rate schedule: linear warm-up, then decay."""

import math

import keras
from keras import ops

from pix2seq_keras.errors import InputError

SCHEDULES = ("linear", "cosine", "constant")


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class WarmupSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up from 0, then linear or cosine decay to a share of the highest learning rate.

    Args:
        learning_rate: float > 0, learning rate at the end of the warm-up.
        warmup_steps: int ≥ 0.
        total_steps: int, the step at which the decay ends.
        schedule: str, `"linear"`, `"cosine"` or `"constant"`. Defaults to `"cosine"`.
        final_factor: float, share of the learning rate from `total_steps` on. Defaults to 0.

    Raises:
        InputError: if the schedule is unknown, or a value is out of range.

    Example:
        >>> schedule = WarmupSchedule(3e-5, warmup_steps=100, total_steps=1000, schedule="linear", final_factor=0.01)
        >>> float(schedule(50))
        1.5e-05
    """

    def __init__(self, learning_rate, warmup_steps, total_steps, schedule="cosine", final_factor=0.0):
        super().__init__()
        if schedule not in SCHEDULES:
            raise InputError(f"`schedule` must be one of {', '.join(SCHEDULES)}. Received: schedule={schedule!r}.")
        if not learning_rate > 0 or warmup_steps < 0:
            raise InputError(
                "`learning_rate` must be above 0 and `warmup_steps` at least 0. "
                f"Received: learning_rate={learning_rate}, warmup_steps={warmup_steps}."
            )
        self.config = {
            "learning_rate": learning_rate,
            "warmup_steps": warmup_steps,
            "total_steps": total_steps,
            "schedule": schedule,
            "final_factor": final_factor,
        }

    def __call__(self, step):
        rate, final = self.config["learning_rate"], self.config["final_factor"]
        warmup, total = self.config["warmup_steps"], self.config["total_steps"]
        step = ops.cast(step, "float32")
        done = ops.clip((step - warmup) / max(total - warmup, 1), 0.0, 1.0)
        if self.config["schedule"] == "linear":
            factor = 1.0 - (1.0 - final) * done
        elif self.config["schedule"] == "cosine":
            factor = final + (1.0 - final) * 0.5 * (1.0 + ops.cos(math.pi * done))
        else:
            factor = 1.0
        return rate * ops.where(step < warmup, step / max(warmup, 1), factor)

    def get_config(self):
        return dict(self.config)

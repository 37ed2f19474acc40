"""Learning rates: linear warm-up, then down."""

import math

import keras
from keras import ops

from pix2seq_keras.errors import InputError

SCHEDULES = ("linear", "cosine", "constant")


@keras.saving.register_keras_serializable(package="pix2seq_keras")
class WarmupSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up from 0, then linear or cosine decay to a share of the rate.

    Args:
        learning_rate: float, the rate at the end of the warm-up.
        warmup_steps: int ≥ 0.
        total_steps: int, the step at which the decay ends.
        schedule: `"linear"`, `"cosine"` or `"constant"`.
        final_factor: float, share of the rate from `total_steps` on.

    Example:
        >>> schedule = WarmupSchedule(3e-5, warmup_steps=100, total_steps=1000, schedule="linear", final_factor=0.01)
        >>> float(schedule(50))
        1.5e-05
    """

    def __init__(self, learning_rate, warmup_steps, total_steps, schedule="cosine", final_factor=0.0):
        super().__init__()
        if schedule not in SCHEDULES:
            raise InputError(f"Unknown schedule: {schedule!r}. Use one of {', '.join(SCHEDULES)}.")
        if not learning_rate > 0 or warmup_steps < 0:
            raise InputError(
                "The learning rate must be positive and warmup_steps not negative. "
                f"Received: learning_rate={learning_rate}, warmup_steps={warmup_steps}"
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

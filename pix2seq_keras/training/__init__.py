"""Recipes and the runs they describe."""

from pix2seq_keras.lazy_exports import lazy_exports

__all__ = lazy_exports(
    __name__,
    {
        "pix2seq_keras.training.recipe": ["Recipe"],
        "pix2seq_keras.training.schedules": ["WarmupSchedule"],
        "pix2seq_keras.training.train": ["train"],
    },
)

"""Recipes and the runs they describe."""

from pix2seq_keras.training.recipe import Recipe
from pix2seq_keras.training.schedules import WarmupSchedule
from pix2seq_keras.training.train import train

__all__ = ["Recipe", "WarmupSchedule", "train"]

"""Training on several devices gives the losses of one."""

import csv
import os
import subprocess
import sys

import pytest

from pix2seq_keras.errors import InputError
from pix2seq_keras.training.distribution import scope

# In a new process, because devices are set before TensorFlow starts, and a process has at most one MirroredStrategy.
PROGRAM = """
import sys
import pix2seq_keras, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import dataclasses
from pix2seq_keras.training import recipe_files, train
loaded = recipe_files.load(sys.argv[1])
for strategy in ("none", "mirrored"):
    train(dataclasses.replace(loaded, strategy=strategy), sys.argv[2] + "/" + strategy)
assert tf.distribute.MirroredStrategy().num_replicas_in_sync == 2
"""


def test_an_unknown_strategy_is_refused():
    with pytest.raises(InputError, match=r"`strategy` must be one of none, mirrored\. Received: strategy='both'"):
        scope("both")


def test_the_strategy_none_has_no_scope():
    import tensorflow as tf

    with scope("none"):
        assert not tf.distribute.has_strategy()


@pytest.mark.large
def test_two_devices_have_the_losses_of_one(plain_recipe, tmp_path):
    import dataclasses

    recipe = dataclasses.replace(plain_recipe, steps=3, epoch_steps=1, batch_size=4)
    (tmp_path / "recipe.yaml").write_text(
        dataclasses.replace(recipe, evaluation=dataclasses.replace(recipe.evaluation, every=3)).to_yaml()
    )
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, tmp_path / "recipe.yaml", tmp_path],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    losses = {}
    for strategy in ("none", "mirrored"):
        with (tmp_path / strategy / "metrics.csv").open(newline="") as file:
            losses[strategy] = [float(row["loss"]) for row in csv.DictReader(file)]
    assert losses["mirrored"] == pytest.approx(losses["none"], rel=1e-5)
    assert len(losses["none"]) == 3

"""Learning rates."""

import json

import keras
import numpy as np
import pytest

from pix2seq_keras import InputError
from pix2seq_keras.training.schedules import WarmupSchedule


@pytest.mark.parametrize("name", ["linear", "cosine"])
def test_the_published_rates_are_reproduced(shared_dir, name):
    golden = np.load(shared_dir / "reference" / "preprocessing" / "golden.npz")
    base, batch_size, warmup, total, final = golden[f"lr_{name}_args"]
    rate = base * batch_size / 256 if name == "cosine" else base
    schedule = WarmupSchedule(rate, int(warmup), int(total), name, final)

    rates = schedule(golden[f"lr_{name}_steps"])

    np.testing.assert_allclose(rates, golden[f"lr_{name}"], rtol=1e-5, atol=1e-7 * rate)


@pytest.mark.parametrize("name", ["linear", "cosine"])
def test_rates_rise_from_0_decay_to_the_final_factor_and_stay(name):
    schedule = WarmupSchedule(0.1, 10, 110, name, final_factor=0.2)

    rates = np.array([float(schedule(step)) for step in (0, 5, 10, 60, 110, 500)])

    np.testing.assert_allclose(rates, [0, 0.05, 0.1, 0.06, 0.02, 0.02], rtol=1e-5)


def test_a_constant_rate_stays_after_its_warm_up():
    schedule = WarmupSchedule(0.1, 4, 10, "constant")

    np.testing.assert_allclose(
        [float(schedule(step)) for step in (0, 2, 4, 9, 50)], [0, 0.05, 0.1, 0.1, 0.1], rtol=1e-6
    )


def test_without_warm_up_the_first_step_has_the_highest_rate():
    assert float(WarmupSchedule(0.5, 0, 10)(0)) == 0.5


def test_a_run_that_is_all_warm_up_has_finite_rates():
    rates = [float(WarmupSchedule(0.5, 10, 10)(step)) for step in (0, 5, 10, 20)]

    np.testing.assert_allclose(rates, [0, 0.25, 0.5, 0.0], atol=1e-7)


def test_an_optimizer_with_a_schedule_is_restored_from_its_configuration():
    optimizer = keras.optimizers.AdamW(WarmupSchedule(0.1, 4, 10, "linear", 0.01))
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(optimizer)))

    schedule = keras.saving.deserialize_keras_object(config)._learning_rate

    assert schedule.get_config() == optimizer._learning_rate.get_config()
    assert float(schedule(3)) == float(optimizer._learning_rate(3))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.1, 1, 10, "step"), "`schedule` must be one of linear, cosine, constant.*'step'"),
        ((0.0, 1, 10), "`learning_rate` must be above 0.*learning_rate=0.0"),
        ((float("nan"), 1, 10), "`learning_rate` must be above 0.*learning_rate=nan"),
        ((0.1, -1, 10), "warmup_steps=-1"),
    ],
)
def test_a_schedule_that_is_not_valid_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        WarmupSchedule(*arguments)

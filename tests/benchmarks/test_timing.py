"""Wall times, medians and variants in turn."""

import time

import pytest

from pix2seq_keras.benchmarks import timing


def test_seconds_are_those_of_one_call():
    assert 0.05 <= timing.seconds_of(lambda: time.sleep(0.05)) < 1


def test_a_median_is_measured_after_a_warm_up(monkeypatch):
    monkeypatch.setattr(timing, "seconds_of", lambda function: function())
    values = iter([100.0, 3.0, 1.0, 2.0])

    assert timing.median_seconds(lambda: next(values), 3) == 2.0


def test_variants_run_in_turn_and_slow_ones_only_once(monkeypatch):
    calls = []
    monkeypatch.setattr(timing, "seconds_of", lambda function: function())

    def variant(name, seconds):
        def run():
            calls.append(name)
            return seconds.pop(0)

        return run

    variants = {"fast": variant("fast", [1.0, 5.0, 2.0]), "slow": variant("slow", [70.0])}
    medians = timing.interleaved_medians(variants, 3, run_once=lambda name, seconds: seconds > 60)

    assert medians == {"fast": 2.0, "slow": 70.0}
    assert calls == ["fast", "slow", "fast", "fast"]


@pytest.mark.parametrize("rounds", [1, 4])
def test_every_variant_runs_in_every_round_by_default(rounds):
    calls = []
    timing.interleaved_medians({name: lambda name=name: calls.append(name) for name in "ab"}, rounds)
    assert calls == ["a", "b"] * rounds

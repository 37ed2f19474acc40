"""The retry policy: which errors are retried, how often, and for how long."""

import pytest

from pix2seq_keras import InputError
from pix2seq_keras.inference.remote import retry
from pix2seq_keras.inference.remote.retry import RetryPolicy, ServerUnavailableError


def failing(times, error):
    """An attempt that fails a number of times, and the list of the timeouts it received."""
    timeouts = []

    def attempt(timeout):
        timeouts.append(timeout)
        if len(timeouts) <= times:
            raise error
        return "result"

    return attempt, timeouts


def test_an_attempt_is_retried_with_exponential_backoff_until_it_succeeds():
    attempt, timeouts = failing(5, ServerUnavailableError("not there"))
    pauses = []
    assert (
        RetryPolicy(deadline_s=60, connect_timeout_s=50, initial_backoff_s=1).call(attempt, pauses.append) == "result"
    )
    assert len(timeouts) == 6
    for pause, longest in zip(pauses, (1, 2, 4, 5, 5), strict=True):
        assert longest / 2 <= pause <= longest


def test_pauses_have_jitter():
    pauses = set()
    for _ in range(8):
        RetryPolicy(initial_backoff_s=0.1).call(failing(1, ServerUnavailableError("not there"))[0], pauses.add)
    assert len(pauses) == 8


@pytest.mark.parametrize("overloaded, limit", [(False, 0.3), (True, 0.8)])
def test_an_unreachable_server_is_retried_for_less_time_than_an_overloaded_one(monkeypatch, overloaded, limit):
    attempt, timeouts = failing(1000, ServerUnavailableError("no", overloaded))
    now = [100.0]
    monkeypatch.setattr(retry.time, "monotonic", lambda: now[0])

    def sleep(seconds):
        now[0] += seconds

    with pytest.raises(ServerUnavailableError):
        RetryPolicy(deadline_s=0.8, connect_timeout_s=0.3, initial_backoff_s=0.05).call(attempt, sleep)

    # It stops when the next pause, at most twice the last one, would exceed the limit.
    assert limit / 3 < now[0] - 100 <= limit
    assert len(timeouts) > 1 and timeouts == sorted(timeouts, reverse=True)  # the time left until the deadline
    assert timeouts[0] == 0.8 and timeouts[-1] == pytest.approx(0.8 - (now[0] - 100))


def test_other_errors_are_not_retried():
    attempt, timeouts = failing(1, InputError("wrong"))
    with pytest.raises(InputError, match="wrong"):
        RetryPolicy().call(attempt)
    assert len(timeouts) == 1


def test_values_that_are_not_positive_numbers_of_seconds_are_refused():
    with pytest.raises(InputError, match="deadline_s"):
        RetryPolicy(deadline_s=0)
    with pytest.raises(InputError, match="connect_timeout_s"):
        RetryPolicy(connect_timeout_s=float("nan"))

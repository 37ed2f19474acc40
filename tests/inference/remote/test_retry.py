"""Retries: which, how often, for how long."""

import pytest

from pix2seq_keras import InputError
from pix2seq_keras.inference.remote import retry as retry_policy
from pix2seq_keras.inference.remote.retry import RetryPolicy, ServerUnavailableError


def failing(times, error):
    """An attempt that fails so many times, and the list of the seconds it was given."""
    given = []

    def attempt(seconds):
        given.append(seconds)
        if len(given) <= times:
            raise error
        return "answer"

    return attempt, given


def test_an_attempt_is_repeated_until_it_succeeds_after_longer_and_longer_pauses():
    attempt, given = failing(5, ServerUnavailableError("not there"))
    pauses = []
    assert RetryPolicy(deadline_s=60, connect_s=50, first_pause_s=1).call(attempt, pauses.append) == "answer"
    assert len(given) == 6
    for pause, longest in zip(pauses, (1, 2, 4, 5, 5), strict=True):
        assert longest / 2 <= pause <= longest


def test_pauses_differ_so_that_clients_do_not_come_back_together():
    lengths = set()
    for _ in range(8):
        RetryPolicy(first_pause_s=0.1).call(failing(1, ServerUnavailableError("not there"))[0], lengths.add)
    assert len(lengths) == 8


@pytest.mark.parametrize("reached, limit", [(False, 0.3), (True, 0.8)])
def test_an_absent_server_is_given_up_sooner_than_a_busy_one(monkeypatch, reached, limit):
    attempt, given = failing(1000, ServerUnavailableError("no", reached))
    now = [100.0]
    monkeypatch.setattr(retry_policy.time, "monotonic", lambda: now[0])

    def sleep(seconds):
        now[0] += seconds

    with pytest.raises(ServerUnavailableError):
        RetryPolicy(deadline_s=0.8, connect_s=0.3, first_pause_s=0.05).call(attempt, sleep)

    # It ends where the next pause, at most twice the last one, would go beyond the limit.
    assert limit / 3 < now[0] - 100 <= limit
    assert len(given) > 1 and given == sorted(given, reverse=True)  # what is left of the deadline
    assert given[0] == 0.8 and given[-1] == pytest.approx(0.8 - (now[0] - 100))


def test_other_errors_are_not_repeated():
    attempt, given = failing(1, InputError("wrong"))
    with pytest.raises(InputError, match="wrong"):
        RetryPolicy().call(attempt)
    assert len(given) == 1


def test_times_must_be_times():
    with pytest.raises(InputError, match="deadline_s"):
        RetryPolicy(deadline_s=0)
    with pytest.raises(InputError, match="connect_s"):
        RetryPolicy(connect_s=float("nan"))

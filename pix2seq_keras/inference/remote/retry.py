"""The retry policy of remote calls: deadline, connection timeout, and exponential backoff with jitter."""

import dataclasses
import random
import time

from pix2seq_keras.errors import InputError

MAX_BACKOFF_S = 5.0


class ServerUnavailableError(InputError):
    """A call failed in a way that a later attempt may not: the server is not reachable, or it is overloaded.

    Args:
        message: str.
        overloaded: bool, whether the server was reached but is overloaded, default `False`. Such calls are retried
            until the deadline, not only for `connect_timeout_s`.
    """

    def __init__(self, message, overloaded=False):
        super().__init__(message)
        self.overloaded = overloaded


@dataclasses.dataclass(frozen=True)
class RetryPolicy:
    """How long a remote call may take, and when it is retried.

    Args:
        deadline_s: float, seconds for the whole call, retries and the pauses between them included, default 300.
        connect_timeout_s: float, seconds for which a server that cannot be reached is retried, default 10.
        initial_backoff_s: float, the first pause in seconds, default 0.2. Each further pause is twice as long, up to
            5 s. A random factor between 0.5 and 1 shortens every pause.

    Raises:
        InputError: if a value is not positive and finite.

    Example:
        >>> open_model("grpc://localhost:8500/digits", RetryPolicy(deadline_s=60))
    """

    deadline_s: float = 300.0
    connect_timeout_s: float = 10.0
    initial_backoff_s: float = 0.2

    def __post_init__(self):
        for name, value in dataclasses.asdict(self).items():
            if not 0 < value < float("inf"):
                raise InputError(f"`{name}` must be a positive number of seconds. Received: {name}={value}.")

    def call(self, attempt, sleep=time.sleep):
        """Makes attempts until one does not raise `ServerUnavailableError`.

        Args:
            attempt: function (seconds left until the deadline) -> result.
            sleep: function (seconds), replaced in tests.

        Returns:
            The result of the successful attempt.

        Raises:
            ServerUnavailableError: the error of the last attempt, when there is no time for another one. Other errors
                are not retried.
        """
        start, backoff = time.monotonic(), self.initial_backoff_s
        while True:
            try:
                return attempt(max(self.deadline_s - (time.monotonic() - start), 0.001))
            except ServerUnavailableError as error:
                # Jitter: clients that failed at the same time must not all retry at the same time.
                pause = backoff * random.uniform(0.5, 1.0)
                limit = self.deadline_s if error.overloaded else min(self.connect_timeout_s, self.deadline_s)
                if time.monotonic() - start + pause > limit:
                    raise
                sleep(pause)
                backoff = min(2 * backoff, MAX_BACKOFF_S)

"""How long a server is waited for, and when it is asked again."""

import dataclasses
import random
import time

from pix2seq_keras.errors import InputError


class ServerUnavailableError(InputError):
    """No answer this time, but perhaps the next.

    Args:
        sentence: str.
        reached: bool, whether the server was there at all; one that is only busy is worth a longer wait.
    """

    def __init__(self, sentence, reached=False):
        super().__init__(sentence)
        self.reached = reached


@dataclasses.dataclass(frozen=True)
class RetryPolicy:
    """How long a call may take.

    Args:
        deadline_s: float, seconds in all, attempts and the pauses between them.
        connect_s: float, seconds in which a server that cannot be reached is tried again.
        first_pause_s: float, about how long the first pause is; every further one is twice as long, up to 5 s.
    """

    deadline_s: float = 300.0
    connect_s: float = 10.0
    first_pause_s: float = 0.2

    def __post_init__(self):
        for name, value in dataclasses.asdict(self).items():
            if not 0 < value < float("inf"):
                raise InputError(f"{name} must be more than 0 seconds. Received: {name}={value}")

    def call(self, attempt, sleep=time.sleep):
        """Calls `attempt(seconds_left)` until it does not raise `ServerUnavailableError`.

        Returns:
            What it returns.

        Raises:
            ServerUnavailableError: the last one, when the time is over.
        """
        start, pause = time.monotonic(), self.first_pause_s
        while True:
            try:
                return attempt(max(self.deadline_s - (time.monotonic() - start), 0.001))
            except ServerUnavailableError as error:
                # Half of the pause is chance: clients that failed together do not come back together.
                length = pause * random.uniform(0.5, 1.0)
                limit = self.deadline_s if error.reached else min(self.connect_s, self.deadline_s)
                if time.monotonic() - start + length > limit:
                    raise
                sleep(length)
                pause = min(2 * pause, 5.0)

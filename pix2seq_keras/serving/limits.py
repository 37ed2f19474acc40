"""Limits of the model server: sizes, concurrency, queue length and timeouts."""

import dataclasses

from pix2seq_keras.errors import InputError


@dataclasses.dataclass(frozen=True)
class Limits:
    """Limits of the model server.

    Args:
        max_batch_rows: int, the largest batch of a request, default 64.
        max_message_mb: float, the largest request in megabytes (2²⁰ bytes), at most 1024, default 64.
        max_concurrent: int, requests that the model runs at the same time, default 2.
        max_waiting: int, requests in the queue, default 16. When it is full, further requests are refused.
        max_connections: int, open REST connections, default 64.
        receive_s: float, seconds to receive a whole REST request, and to send its response, default 30.
        wait_s: float, seconds that a request waits in the queue, default 60.

    Raises:
        InputError: if a value is out of range.

    Example:
        >>> ModelServer("served/digits", limits=Limits(max_batch_rows=8, max_concurrent=1))
    """

    max_batch_rows: int = 64
    max_message_mb: float = 64.0
    max_concurrent: int = 2
    max_waiting: int = 16
    max_connections: int = 64
    receive_s: float = 30.0
    wait_s: float = 60.0

    def __post_init__(self):
        smallest = {"max_waiting": 0, "max_message_mb": 1e-3, "receive_s": 1e-3, "wait_s": 1e-3}
        for name, value in dataclasses.asdict(self).items():
            if not smallest.get(name, 1) <= value < 2**31:
                raise InputError(f"`{name}` must be at least {smallest.get(name, 1)}. Received: {name}={value}.")
        if self.max_message_mb > 1024:
            raise InputError(f"`max_message_mb` must be at most 1024. Received: max_message_mb={self.max_message_mb}.")

    @property
    def max_message_bytes(self):
        """The largest request in bytes: int."""
        return int(self.max_message_mb * 2**20)

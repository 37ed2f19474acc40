"""What a client may ask of the server."""

import dataclasses

from pix2seq_keras.errors import InputError


@dataclasses.dataclass(frozen=True)
class Limits:
    """Bounds of the server.

    Args:
        max_batch_rows: int, rows of a request.
        max_message_mb: float, megabytes (2²⁰ bytes) of a message.
        max_concurrent: int, requests that the model works on at once.
        max_waiting: int, further requests that wait for their turn; more are refused at once.
        max_connections: int, open REST connections.
        receive_s: float, seconds in which a REST request must have arrived whole, and its answer been taken.
        wait_s: float, seconds that a request waits for its turn.
    """

    max_batch_rows: int = 64
    max_message_mb: float = 64.0
    max_concurrent: int = 2
    max_waiting: int = 16
    max_connections: int = 64
    receive_s: float = 30.0
    wait_s: float = 60.0

    def __post_init__(self):
        least = {"max_waiting": 0, "max_message_mb": 1e-3, "receive_s": 1e-3, "wait_s": 1e-3}
        for name, value in dataclasses.asdict(self).items():
            if not least.get(name, 1) <= value < 2**31:
                raise InputError(f"{name} must be at least {least.get(name, 1)}. Received: {name}={value}")
        if self.max_message_mb > 1024:
            raise InputError(f"max_message_mb must be at most 1024. Received: max_message_mb={self.max_message_mb}")

    @property
    def max_message_bytes(self):
        """Int."""
        return int(self.max_message_mb * 2**20)

"""The result of an objective."""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class ObjectiveValue:
    """A batch's loss, not yet normalised, and its metrics.

    Args:
        loss_sum: float32 scalar tensor, the sum over the replica's part of the batch.
        normalizer: float32 scalar tensor, such as the sum of the token weights. The loss is the sum of `loss_sum` over
            all replicas divided by the sum of `normalizer` over all replicas.
        metrics: dict of name -> (values, weights): tensors of one shape, averaged with these weights; None weighs all
            values equally.
    """

    loss_sum: Any
    normalizer: Any
    metrics: dict

"""Numbers out of range are refused with their argument."""

import numpy as np
import pytest

from pix2seq_keras.errors import InputError
from pix2seq_keras.ranges import require_count, require_share


def test_numbers_in_range_pass():
    for value in (1, np.int64(8)):
        require_count("batch_size", value)
    require_count("max_images", None, optional=True)
    require_share("threshold", None, optional=True)
    for value in (0, 0.5, np.float32(1)):
        require_share("threshold", value)


@pytest.mark.parametrize("value", [0, -3, 2.0, "2", None, True])
def test_counts_below_one_are_refused(value):
    with pytest.raises(InputError, match=r"`batch_size` must be at least 1\. Received: batch_size="):
        require_count("batch_size", value)


@pytest.mark.parametrize("value", [-1, 1.01, 2, float("nan"), float("inf"), "0.5", None, True])
def test_shares_outside_of_0_and_1_are_refused(value):
    with pytest.raises(InputError, match=r"`threshold` must be between 0 and 1\. Received: threshold="):
        require_share("threshold", value)

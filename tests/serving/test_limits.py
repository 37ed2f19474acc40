"""Limits of the server."""

import pytest

from pix2seq_keras import InputError
from pix2seq_keras.serving import Limits


def test_megabytes_are_converted_to_bytes():
    assert Limits(max_message_mb=0.5).max_message_bytes == 524_288


@pytest.mark.parametrize(
    "option", [{"max_batch_rows": 0}, {"max_message_mb": 2000}, {"max_waiting": -1}, {"wait_s": float("nan")}]
)
def test_values_out_of_range_are_refused(option):
    with pytest.raises(InputError, match=next(iter(option))):
        Limits(**option)

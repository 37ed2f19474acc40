import pytest

from pix2seq_keras.data.sources.parse_number import parse_number


@pytest.mark.parametrize(
    ("text", "number"), [("0.5", 0.5), ("5e-1", 0.5), ("+3", 3.0), ("-.25", -0.25), ("7.", 7.0), ("1e400", None)]
)
def test_finite_numbers_are_parsed(text, number):
    assert parse_number(text) == number


@pytest.mark.parametrize("text", [None, "", "nan", "inf", "Infinity", "1_000", "0x10", " 1", "1 2", "١", "9" * 30])
def test_other_texts_are_no_numbers(text):
    assert parse_number(text) is None

"""What the flags of reading come to."""

import pytest

from pix2seq_keras import InputError, samplers
from pix2seq_keras.commands.decoding_options import chosen_sampler, given


def test_only_what_was_given_is_handed_on():
    assert given() == {}
    assert given(readings=4, mirror=False, coordinate_window=0.0) == {
        "readings": 4,
        "mirror": False,
        "coordinate_window": 0.0,
    }
    assert given(sampler="greedy") == {"sampler": "greedy"}


def test_a_p_makes_the_sampler():
    assert given(top_p=0.8) == given(top_p=0.8, sampler="top_p") == {"sampler": samplers.TopP(0.8)}
    assert chosen_sampler("greedy", None) == "greedy"
    assert chosen_sampler(None, None) is None


@pytest.mark.parametrize("sampler", ["greedy", "top_k", "beam_search", "best"])
def test_a_p_without_its_sampler_is_refused(sampler):
    with pytest.raises(InputError, match=f"Received: --sampler {sampler} --top_p 0.8"):
        given(sampler=sampler, top_p=0.8)


def test_readings_that_cannot_be_halved_are_refused_before_a_model_is_opened():
    with pytest.raises(InputError, match="Received: mirror=True, readings=3"):
        given(readings=3, mirror=True)
    assert given(mirror=True) == {"mirror": True}  # an exported model may have its number


def test_a_p_that_is_no_mass_is_refused():
    with pytest.raises(InputError, match=r"p must lie in \(0, 1\]. Received: p=0"):
        given(top_p=0)

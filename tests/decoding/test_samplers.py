"""Samplers: names, parameters and mappings. Their arithmetic is tested in `test_token_sampling`."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf

from pix2seq_keras import InputError, samplers
from pix2seq_keras.decoding.samplers import NAMES, SAMPLERS

EXAMPLES = [
    samplers.Greedy(),
    samplers.TopK(3, 0.7),
    samplers.TopP(0.8, 1.2),
    samplers.BeamSearch(2, 0.5),
    samplers.Custom("<function>"),
]


def own_sampler(logits, uniform):
    return tf.zeros(tf.shape(uniform), tf.int32)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_gives_the_sampler_with_default_parameters(name):
    assert samplers.get(name) == samplers.get({"name": name}) == SAMPLERS[name]()


def test_the_default_nucleus_is_the_published_one():
    assert samplers.get("top_p") == samplers.TopP(p=0.4, temperature=1.0)


def test_a_mapping_sets_parameters():
    assert samplers.get({"name": "top_p", "p": 0.8, "temperature": 2}) == samplers.TopP(0.8, 2.0)
    assert samplers.get({"name": "beam_search", "beams": 7}) == samplers.BeamSearch(7)


@pytest.mark.parametrize("sampler", [*EXAMPLES, own_sampler], ids=lambda sampler: type(sampler).__name__)
def test_objects_and_callables_are_returned_unchanged(sampler):
    assert samplers.get(sampler) is sampler


@pytest.mark.parametrize("sampler", EXAMPLES, ids=repr)
def test_a_mapping_through_json_gives_an_equal_sampler(sampler):
    assert samplers.get(json.loads(json.dumps(samplers.to_dict(sampler)))) == sampler


def test_there_is_an_example_of_every_sampler():
    assert {type(sampler) for sampler in EXAMPLES} == set(SAMPLERS.values())


def test_a_callable_becomes_a_custom_sampler_that_can_only_be_compared():
    described = samplers.to_dict(own_sampler)

    custom = samplers.get(described)

    assert described == {"name": "custom", "text": repr(own_sampler)}
    assert custom == samplers.get(dict(described)) != samplers.Custom("another")
    with pytest.raises(InputError, match=r"own_sampler.*known by its description only"):
        custom(tf.zeros([1, 2]), tf.zeros([1]))


def test_numbers_of_every_kind_make_equal_samplers():
    assert samplers.TopP(1, np.float64(1)) == samplers.TopP(1.0, 1.0)
    assert samplers.TopK(np.int64(3), np.float32(1)) == samplers.TopK(3, 1.0)
    assert samplers.BeamSearch(np.int32(2), 1) == samplers.BeamSearch(2, 1.0)
    for sampler in (samplers.TopP(1), samplers.TopK(np.int64(3), np.float32(1)), samplers.BeamSearch(np.int32(2), 1)):
        assert all(type(value) in (int, float) for value in dataclasses.asdict(sampler).values())


def test_greedy_and_beam_search_are_deterministic_and_the_others_draw():
    names = [name for name, sampler in zip(SAMPLERS, EXAMPLES, strict=True) if samplers.is_deterministic(sampler)]

    assert names == ["greedy", "beam_search"]
    assert not samplers.is_deterministic(own_sampler)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: samplers.get("beam"), "`sampler` must be one of greedy, top_k, top_p, beam_search.*sampler='beam'"),
        (lambda: samplers.get("custom"), "must be one of.*sampler='custom'"),
        (lambda: samplers.get({"p": 0.4}), "must be one of.*sampler={'p': 0.4}"),
        (lambda: samplers.get({"name": ["top_p"]}), "must be one of"),
        (lambda: samplers.get({"name": "top_p", "k": 3}), "top_p takes p, temperature. Received: k"),
        (lambda: samplers.get({"name": "greedy", "p": 0.4}), "greedy takes no parameters. Received: p"),
        (lambda: samplers.get({"name": "top_p", "p": 2}), r"`p` must lie in \(0, 1\].*p=2"),
        (lambda: samplers.get(samplers.TopP), "object such as.*Received: sampler=<class"),
        (lambda: samplers.get(3), "hashable callable. Received: sampler=3"),
        (lambda: samplers.get(None), "Received: sampler=None"),
        (lambda: samplers.get(["greedy"]), "hashable callable. Received"),
        (lambda: samplers.TopK(-1), "`k` must be a whole number of at least 1.*k=-1"),
        (lambda: samplers.TopK(2.5), "`k` must be a whole number.*k=2.5"),
        (lambda: samplers.TopK(True), "`k` must be a whole number.*k=True"),
        (lambda: samplers.TopK(3, 0.0), "`temperature` must be positive.*temperature=0.0"),
        (lambda: samplers.TopK(3, 1e9), "`temperature` must be positive and at most 1000.*1000000000.0"),
        (lambda: samplers.TopP(0.0), r"`p` must lie in \(0, 1\].*p=0.0"),
        (lambda: samplers.TopP(1.1), r"`p` must lie in \(0, 1\].*p=1.1"),
        (lambda: samplers.TopP("0.4"), r"`p` must lie in \(0, 1\].*p='0.4'"),
        (lambda: samplers.TopP(0.5, float("nan")), "`temperature` must be positive.*nan"),
        (lambda: samplers.BeamSearch(0), "`beams` must be a whole number of at least 1.*beams=0"),
        (lambda: samplers.BeamSearch(2.5), "`beams` must be a whole number.*beams=2.5"),
        (lambda: samplers.BeamSearch(length_penalty=-1.0), "`length_penalty` must be at least 0.*-1.0"),
    ],
)
def test_a_sampler_that_is_not_valid_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()

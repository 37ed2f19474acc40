"""With several workers, a cache or a data service, the batches are those of one process."""

import numpy as np
import pytest

from pix2seq_keras.data import ImageCache, open_source
from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences import SequenceOptions


def test_the_slices_of_all_workers_are_the_batches_of_one(folder, dataset, batches, assert_same, wild):
    source = open_source(f"coco:{folder}", "train")
    options = {"sequence": SequenceOptions(max_objects=6), "batch_size": 6, "seed": 2, "start": 12}

    whole = batches(dataset(source, wild, **options), 4)
    slices = [batches(dataset(source, wild, **options, shard=(worker, 2)), 4) for worker in range(2)]

    for number, batch in enumerate(whole):
        together = [np.concatenate(parts) for parts in zip(*(part[number] for part in slices), strict=True)]
        assert_same([batch], [together])


@pytest.mark.parametrize("shard", [(2, 2), (-1, 2), (0, 3), (0, 0)])
def test_impossible_shards_are_refused(folder, shard, dataset):
    with pytest.raises(InputError, match="must divide `batch_size`"):
        dataset(open_source(f"coco:{folder}", "train"), batch_size=4, shard=shard)


def test_examples_do_not_depend_on_the_content_of_the_cache(folder, tmp_path, dataset, batches, assert_same, wild):
    source = open_source(f"coco:{folder}", "train")
    cache = lambda name: ImageCache(tmp_path / name, longest_side=24)

    first = batches(dataset(source, wild, cache=cache("one")), 10)
    again = batches(dataset(source, wild, cache=cache("one")), 10)
    elsewhere = batches(dataset(source, wild, cache=cache("two")), 10)
    without = batches(dataset(source, wild), 10)

    assert_same(first, again)
    assert_same(first, elsewhere)
    assert (first[0][0] != without[0][0]).any()


@pytest.fixture(scope="module")
def service():
    """The address of a data service of one dispatcher and one worker, both in this process."""
    import tensorflow as tf

    tools = tf.data.experimental.service
    dispatcher = tools.DispatchServer()
    address = dispatcher.target.partition("://")[2]
    worker = tools.WorkerServer(tools.WorkerConfig(dispatcher_address=address, heartbeat_interval_ms=100))
    yield dispatcher.target
    del worker


def test_a_data_service_gives_the_same_batches(folder, service, dataset, batches, assert_same, wild):
    source = open_source(f"coco:{folder}", "train")
    options = {"sequence": SequenceOptions(max_objects=6), "batch_size": 3, "seed": 4, "start": 9}

    here = batches(dataset(source, wild, **options), 6)
    served = batches(dataset(source, wild, **options, service=service), 6)

    assert_same(here, served)


def test_a_data_service_and_a_cache_exclude_each_other(folder, tmp_path, dataset):
    source = open_source(f"coco:{folder}", "train")
    with pytest.raises(InputError, match="Use one of"):
        dataset(source, cache=ImageCache(tmp_path / "cache"), service="grpc://localhost:1")

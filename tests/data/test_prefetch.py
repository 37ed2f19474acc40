"""Results computed in advance: their order, how many are computed at a time, and errors."""

import threading

import pytest

from pix2seq_keras.data.prefetch import prefetch


def test_results_keep_their_order_whichever_is_ready_first():
    second_done = threading.Event()

    def work(index):
        if index == 0:
            assert second_done.wait(timeout=10)
        if index == 1:
            second_done.set()
        return index * index

    assert list(prefetch(work, 20)) == [index * index for index in range(20)]


def test_only_a_few_results_wait():
    started = []
    results = prefetch(lambda index: started.append(index), 100)

    next(results)

    assert len(started) <= 5
    results.close()
    assert len(started) <= 5


def test_an_error_comes_where_its_result_is_due():
    results = prefetch([10, 11].__getitem__, 3)

    assert [next(results), next(results)] == [10, 11]
    with pytest.raises(IndexError):
        next(results)


def test_nothing_gives_nothing():
    assert list(prefetch(str, 0)) == []

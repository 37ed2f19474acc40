"""Named seeds and permutations."""

import numpy as np
import tensorflow as tf
from scipy import stats

from pix2seq_keras.sequences import fold, shuffled


def test_a_fold_is_a_pure_function_of_seed_and_name():
    first, again = fold((3, 4), "order").numpy(), fold(tf.constant([3, 4]), "order").numpy()

    assert first.shape == (2,)
    np.testing.assert_array_equal(first, again)


def test_names_counters_and_seeds_give_different_streams():
    folds = [fold(seed, name) for seed in ((0, 0), (0, 1), (1, 0)) for name in ("order", "noise", 0, 1, 2)]

    assert len({tuple(seed.numpy()) for seed in folds}) == len(folds)


def test_a_counter_may_be_a_tensor():
    np.testing.assert_array_equal(fold((0, 7), tf.constant(5, tf.int64)), fold((0, 7), 5))


def test_a_shuffle_is_a_permutation_given_by_the_seed():
    one, again, other = (shuffled(50, seed).numpy() for seed in ((1, 2), (1, 2), (1, 3)))

    np.testing.assert_array_equal(np.sort(one), np.arange(50))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_no_element_and_one_element_can_be_shuffled():
    assert shuffled(0, (0, 0)).numpy().tolist() == []
    assert shuffled(1, (0, 0)).numpy().tolist() == [0]


def test_all_permutations_are_equally_likely():
    @tf.function(autograph=False)
    def draw(seeds):
        return tf.map_fn(lambda seed: shuffled(3, seed), seeds, fn_output_signature=tf.TensorSpec([3], tf.int32))

    seeds = tf.stack([tf.zeros(1200, tf.int32), tf.range(1200)], -1)
    _, counts = np.unique(draw(seeds), axis=0, return_counts=True)

    assert len(counts) == 6
    assert stats.chisquare(counts).pvalue > 1e-3

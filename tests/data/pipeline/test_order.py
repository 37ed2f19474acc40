"""The order of images: a pure function of (seed, epoch, index), also after a run was stopped and resumed."""

import numpy as np

from pix2seq_keras.data import Augmentation, open_source
from pix2seq_keras.sequences import SequenceOptions


def test_starting_at_k_equals_skipping_k(folder, dataset, batches, assert_same, wild):
    source = open_source(f"coco:{folder}", "train")
    sequence = SequenceOptions(max_objects=6)

    whole = batches(dataset(source, wild, sequence, seed=3), 20)
    resumed = batches(dataset(source, wild, sequence, seed=3, start=9), 11)

    assert_same(whole[9:], resumed)


def test_two_iterations_are_equal(folder, dataset, batches, assert_same, wild):
    data = dataset(open_source(f"coco:{folder}", "train"), wild, SequenceOptions(max_objects=6), batch_size=3, seed=1)
    assert_same(batches(data, 5), batches(data, 5))


def test_another_seed_gives_other_images_and_tokens(folder, dataset, batches, wild):
    source = open_source(f"coco:{folder}", "train")
    one, other = (batches(dataset(source, wild, seed=seed, batch_size=4), 1)[0] for seed in (0, 1))
    assert not np.array_equal(one[0], other[0])
    assert not np.array_equal(one[2], other[2])


def test_an_image_is_augmented_differently_in_every_epoch(folder, dataset, batches, wild):
    data = dataset(open_source(f"coco:{folder}", "train"), wild, limit=1)
    first, second = batches(data, 2)
    assert not np.array_equal(first[0], second[0])


def test_resuming_at_step_137_gives_the_same_next_50_batches_bit_for_bit(folder, dataset, batches, assert_same):
    source = open_source(f"coco:{folder}", "train")
    strong = Augmentation(min_scale=0.3, max_scale=2.0, color=0.5, erase=0.3)
    options = {"sequence": SequenceOptions(max_objects=6), "batch_size": 2, "seed": 11, "copies": 3}

    whole = batches(dataset(source, strong, **options), 187)
    resumed = batches(dataset(open_source(f"coco:{folder}", "train"), strong, **options, start=137 * 2), 50)

    assert len(resumed) == 50
    assert_same(whole[137:], resumed)


# === Epochs ===


def test_every_epoch_has_every_image_once_in_another_order(folder, dataset, image_order):
    order = image_order(dataset(open_source(f"coco:{folder}", "train")), 5 * 7)
    epochs = [order[start : start + 7] for start in range(0, 35, 7)]
    assert all(sorted(epoch) == list(range(7)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1
    assert epochs[0] != list(range(7)) or epochs[1] != list(range(7))


def test_batches_continue_over_the_end_of_an_epoch(folder, dataset, batches):
    images = batches(dataset(open_source(f"coco:{folder}", "train"), batch_size=4), 7)
    order = [round(float(image[0, 0, 0]) * 25.5) - 1 for batch in images for image in batch[0]]
    assert all(order.count(index) == 4 for index in range(7))


def test_limit_uses_the_first_annotated_images_only(folder, dataset, image_order):
    assert set(image_order(dataset(open_source(f"coco:{folder}", "train"), limit=3), 12)) == {0, 1, 2}


def test_copies_of_an_image_follow_each_other_and_are_augmented_differently(
    folder, dataset, batches, image_order, assert_same, wild
):
    source = open_source(f"coco:{folder}", "train")

    once = image_order(dataset(source), 14)
    still = image_order(dataset(source, copies=2), 28)
    augmented = batches(dataset(source, wild, copies=2), 2)

    assert still == [number for number in once for _ in range(2)]
    assert (augmented[0][0] != augmented[1][0]).any()
    assert_same(batches(dataset(source, wild, copies=2, start=1), 1), augmented[1:])


def test_one_image_is_enough(folder, dataset, image_order):
    assert image_order(dataset(open_source(f"coco:{folder}", "train"), limit=1), 3) == [0, 0, 0]


def test_images_without_annotations_are_skipped(folder, edit_annotations, dataset, image_order):
    def strip(document):
        document["annotations"] = [a for a in document["annotations"] if a["image_id"] not in (2, 5)]

    edit_annotations(folder, "train", strip)
    order = image_order(dataset(open_source(f"coco:{folder}", "train")), 10)
    assert sorted(order) == sorted(2 * [0, 2, 3, 5, 6])


def test_crowds_are_no_targets_and_an_image_with_only_crowds_is_skipped(
    folder, edit_annotations, dataset, batches, image_order, classes_of
):
    def crowd(document):
        for record in document["annotations"]:
            if record["image_id"] == 1 or record["category_id"] == 5:
                record["iscrowd"] = 1

    edit_annotations(folder, "train", crowd)
    data = dataset(open_source(f"coco:{folder}", "train"))
    assert 0 not in image_order(data, 12)
    found = set(np.concatenate([classes_of(targets[0]) for _, _, targets, _ in batches(data, 6)]))
    assert found == {0, 2}  # red and blue; green is a crowd everywhere


def test_rare_classes_come_more_often(folder, edit_annotations, dataset, image_order):
    def leave_one_blue(document):
        blue = [record for record in document["annotations"] if record["category_id"] == 9]
        document["annotations"] = [r for r in document["annotations"] if r not in blue or r["image_id"] == 3]

    edit_annotations(folder, "train", leave_one_blue)
    source = open_source(f"coco:{folder}", "train")

    usual = image_order(dataset(source), 21)
    repeated = image_order(dataset(source, repeat_threshold=1.0), 27)  # √7 = 2.6 times

    assert usual.count(2) == 3
    assert repeated.count(2) in (8, 9) and set(repeated) == set(range(7))

"""The training pipeline: what it visits, in which order, and whether tokens mean the pixels beside them."""

import itertools

import numpy as np
import pytest

from pix2seq_keras import Vocabulary
from pix2seq_keras.data import Augmentation, PictureCache, open_source, training_dataset
from pix2seq_keras.data.pipeline import reading_errors
from pix2seq_keras.data.sources.source import Source
from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences import SequenceOptions

VOCABULARY = Vocabulary(3, 1000)
STILL = Augmentation(min_scale=1.0, max_scale=1.0, flip=0.0)
WILD = Augmentation(min_scale=0.5, max_scale=2.0, flip=0.5, color=0.3)
PLAIN = SequenceOptions(max_objects=4, noise=False, input_classes="none")
SIZE = (48, 40)  # width, height: the canvas too, so that an unchanged picture shows its number at the corner


def numbered(index):
    return 10 * (index + 1)


@pytest.fixture
def folder(write_rectangles, tmp_path):
    return write_rectangles(tmp_path / "coco", {"train": 7}, SIZE, numbered)


def dataset(source, augmentation=STILL, sequence=PLAIN, batch_size=1, vocabulary=VOCABULARY, **options):
    return training_dataset(source, vocabulary, (SIZE[1], SIZE[0]), batch_size, sequence, augmentation, **options)


def batches(data, count):
    """`count` batches, each a flat tuple of arrays."""
    found = []
    for x, targets, weights in data.take(count).as_numpy_iterator():
        found.append((x["images"], x["tokens"], targets, weights))
    return found


def assert_same(one, other):
    for left, right in zip(one, other, strict=True):
        for a, b in zip(left, right, strict=True):
            np.testing.assert_array_equal(a, b)


def visited(data, count):
    """The numbers of the pictures in the order they come."""
    corners = [image[0, 0, 0, 0] for image, *_ in batches(data, count)]
    return [round(float(corner) * 255 / 10) - 1 for corner in corners]


# === A pure function of (seed, epoch, index) ===


def test_starting_at_k_equals_skipping_k(folder):
    source = open_source(f"coco:{folder}", "train")
    sequence = SequenceOptions(max_objects=6)

    whole = batches(dataset(source, WILD, sequence, seed=3), 20)
    resumed = batches(dataset(source, WILD, sequence, seed=3, start=9), 11)

    assert_same(whole[9:], resumed)


def test_two_iterations_are_equal(folder):
    data = dataset(open_source(f"coco:{folder}", "train"), WILD, SequenceOptions(max_objects=6), batch_size=3, seed=1)
    assert_same(batches(data, 5), batches(data, 5))


def test_another_seed_gives_other_pictures_and_tokens(folder):
    source = open_source(f"coco:{folder}", "train")
    one, other = (batches(dataset(source, WILD, seed=seed, batch_size=4), 1)[0] for seed in (0, 1))
    assert not np.array_equal(one[0], other[0])
    assert not np.array_equal(one[2], other[2])


def test_a_picture_is_augmented_otherwise_in_every_epoch(folder):
    data = dataset(open_source(f"coco:{folder}", "train"), WILD, limit=1)
    first, second = batches(data, 2)
    assert not np.array_equal(first[0], second[0])


# === Visits ===


def test_every_epoch_visits_every_picture_once_in_another_order(folder):
    order = visited(dataset(open_source(f"coco:{folder}", "train")), 5 * 7)
    epochs = [order[start : start + 7] for start in range(0, 35, 7)]
    assert all(sorted(epoch) == list(range(7)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1
    assert epochs[0] != list(range(7)) or epochs[1] != list(range(7))


def test_batches_run_over_the_end_of_an_epoch(folder):
    images = batches(dataset(open_source(f"coco:{folder}", "train"), batch_size=4), 7)
    order = [round(float(image[0, 0, 0]) * 25.5) - 1 for batch in images for image in batch[0]]
    assert all(order.count(index) == 4 for index in range(7))


def test_limit_uses_the_first_annotated_pictures_only(folder):
    assert set(visited(dataset(open_source(f"coco:{folder}", "train"), limit=3), 12)) == {0, 1, 2}


def test_copies_of_a_picture_follow_each_other_and_are_augmented_otherwise(folder):
    source = open_source(f"coco:{folder}", "train")

    once = visited(dataset(source), 14)
    still = visited(dataset(source, copies=2), 28)
    wild = batches(dataset(source, WILD, copies=2), 2)

    assert still == [number for number in once for _ in range(2)]
    assert (wild[0][0] != wild[1][0]).any()
    assert_same(batches(dataset(source, WILD, copies=2, start=1), 1), wild[1:])


def test_one_picture_is_enough(folder):
    assert visited(dataset(open_source(f"coco:{folder}", "train"), limit=1), 3) == [0, 0, 0]


def test_pictures_without_annotations_are_skipped(folder, edit_annotations):
    def strip(document):
        document["annotations"] = [a for a in document["annotations"] if a["image_id"] not in (2, 5)]

    edit_annotations(folder, "train", strip)
    order = visited(dataset(open_source(f"coco:{folder}", "train")), 10)
    assert sorted(order) == sorted(2 * [0, 2, 3, 5, 6])


def test_crowds_are_no_targets_and_a_picture_of_crowds_alone_is_skipped(folder, edit_annotations):
    def crowd(document):
        for record in document["annotations"]:
            if record["image_id"] == 1 or record["category_id"] == 5:
                record["iscrowd"] = 1

    edit_annotations(folder, "train", crowd)
    data = dataset(open_source(f"coco:{folder}", "train"))
    assert 0 not in visited(data, 12)
    found = set(np.concatenate([classes_of(targets[0]) for _, _, targets, _ in batches(data, 6)]))
    assert found == {0, 2}  # red and blue; green is a crowd everywhere


# === Tokens and pixels ===


def objects_of(targets):
    """Boxes in pixels of the canvas and classes of the real objects that a row of targets holds."""
    rows = targets.reshape(-1, 5)
    classes = np.full(len(rows), -1)
    for index, token in enumerate(VOCABULARY.class_tokens):
        classes[rows[:, 4] == token] = index
    boxes = (rows[:, :4] - VOCABULARY.coord_shift) / (VOCABULARY.num_bins - 1) * [SIZE[1], SIZE[0], SIZE[1], SIZE[0]]
    return boxes[classes >= 0], classes[classes >= 0]


def classes_of(targets):
    return objects_of(targets)[1]


def box_of_colour(image, channel):
    """Where one colour is, in pixels of the canvas; None where it is not."""
    others = [other for other in range(3) if other != channel]
    ys, xs = np.nonzero((image[..., channel] > 0.5) & (image[..., others] < 0.5).all(-1))
    return None if not len(ys) else np.array([ys.min(), xs.min(), ys.max() + 1, xs.max() + 1])


@pytest.mark.parametrize(
    "augmentation",
    [STILL, Augmentation(1.0, 1.0, flip=1.0), Augmentation(0.5, 1.0, flip=0.0), Augmentation(0.6, 2.0, flip=0.5)],
    ids=["still", "flipped", "smaller", "scaled, cropped and flipped"],
)
def test_every_object_is_found_in_the_pixels_where_its_tokens_say(write_rectangles, tmp_path, augmentation):
    folder = write_rectangles(tmp_path / "coco", {"train": 8}, (120, 90))
    data = dataset(open_source(f"coco:{folder}", "train"), augmentation, batch_size=8)

    compared, misses = 0, []
    for images, _, targets, _ in batches(data, 3):
        for image, row in zip(images, targets, strict=True):
            for box, channel in zip(*objects_of(row), strict=True):
                if (box[2:] - box[:2]).min() < 3:  # a sliver at the border of the crop may have no full pixel
                    continue
                found = box_of_colour(image, channel)
                assert found is not None
                misses.append(np.abs(found - box).max())
                compared += 1

    assert compared >= 30
    assert max(misses) <= 1.25, "pixels"
    assert np.mean(misses) < 0.75


def test_what_a_crop_cuts_off_is_no_target(write_rectangles, tmp_path):
    folder = write_rectangles(tmp_path / "coco", {"train": 8}, (120, 90))
    data = dataset(open_source(f"coco:{folder}", "train"), Augmentation(2.0, 2.0, flip=0.0), batch_size=8)
    numbers = []
    for images, _, targets, _ in batches(data, 3):
        for image, row in zip(images, targets, strict=True):
            visible = {channel for channel in range(3) if box_of_colour(image, channel) is not None}
            assert visible <= set(classes_of(row))
            numbers.append(len(classes_of(row)))
    assert min(numbers) < 3


# === Bad input ===


def test_a_truncated_jpeg_is_replaced_by_the_next_picture_and_noted(folder):
    picture = folder / "train" / "3.png"
    from PIL import Image

    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)).save(picture, format="JPEG")
    picture.write_bytes(picture.read_bytes()[:-500])
    source = open_source(f"coco:{folder}", "train")

    order = visited(dataset(source), 14)

    assert sorted(order) == sorted(2 * [0, 1, 2, 4, 4, 5, 6])
    assert source.findings.counts("problem") == {"unreadable picture": 1}
    assert "3.png" in source.findings.summary()


def test_more_objects_than_fit_are_noted_once_with_their_number(folder):
    source = open_source(f"coco:{folder}", "train")
    data = dataset(source, sequence=SequenceOptions(max_objects=2, noise=False, input_classes="none"))
    seen = [len(classes_of(targets[0])) for _, _, targets, _ in batches(data, 14)]
    dataset(source, sequence=SequenceOptions(max_objects=2))
    noted = [finding for finding in source.findings if finding.kind == "more objects than fit"]
    assert seen == [2] * 14
    assert len(noted) == 1
    assert "7 of 7 pictures" in noted[0].message and "up to 3" in noted[0].message


def test_more_classes_than_the_vocabulary_has_are_refused(folder):
    source = open_source(f"coco:{folder}", "train")
    with pytest.raises(InputError, match=r"has 3 classes.*only 2"):
        dataset(source, vocabulary=Vocabulary(2, 1000))


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"limit": 0}, {"limit": -1}])
def test_sizes_below_one_are_refused(folder, options):
    with pytest.raises(InputError, match="at least 1"):
        dataset(open_source(f"coco:{folder}", "train"), **options)


def test_nothing_annotated_is_refused(folder, edit_annotations):
    edit_annotations(folder, "train", lambda document: document.update(annotations=[]))
    with pytest.raises(InputError, match="Nothing to train on"):
        dataset(open_source(f"coco:{folder}", "train"))


def test_pictures_that_all_turn_out_unreadable_are_refused_at_once(folder):
    source = open_source(f"coco:{folder}", "train")  # their headers are right
    for picture in (folder / "train").iterdir():
        picture.write_bytes(picture.read_bytes()[:60])
    with pytest.raises(InputError, match="Not one of the 7 pictures") as caught:
        dataset(source)
    assert "unreadable picture: 7" in str(caught.value)


def test_pictures_that_vanish_while_training_end_it_with_a_sentence(folder):
    source = open_source(f"coco:{folder}", "train")
    data = dataset(source)
    for picture in (folder / "train").iterdir():
        picture.unlink()
    with pytest.raises(InputError) as caught, reading_errors():
        for _ in itertools.islice(data, 10):
            pass
    assert str(caught.value).startswith("Not one of the 7 pictures")
    assert "Traceback" not in str(caught.value) and "IteratorGetNext" not in str(caught.value)


def test_other_errors_of_reading_are_not_dressed_up(folder):
    import tensorflow as tf

    source = open_source(f"coco:{folder}", "train")
    calls = itertools.count()
    example = source.read(0)  # its picture is pixels: there is no file that TensorFlow could read alone

    def read(index):
        if next(calls) > 3:
            raise RuntimeError("a defect")
        return example

    broken = Source(**{**vars(source), "read": read})
    with pytest.raises(tf.errors.OpError, match="a defect"), reading_errors():
        batches(dataset(broken), 20)


@pytest.mark.parametrize(
    "options", [{"min_scale": 0}, {"min_scale": 2.0, "max_scale": 1.0}, {"flip": 1.5}, {"flip": -0.1}, {"color": -1}]
)
def test_impossible_augmentations_are_refused(options):
    with pytest.raises(InputError, match="Received"):
        Augmentation(**options)


# === Stopped and continued, shared, cached, served ===


def test_after_a_stop_at_step_137_of_an_epoch_the_next_50_batches_are_the_same_bits(folder):
    source = open_source(f"coco:{folder}", "train")
    wild = Augmentation(min_scale=0.3, max_scale=2.0, color=0.5, erase=0.3)
    options = {"sequence": SequenceOptions(max_objects=6), "batch_size": 2, "seed": 11, "copies": 3}

    whole = batches(dataset(source, wild, **options), 187)
    resumed = batches(dataset(open_source(f"coco:{folder}", "train"), wild, **options, start=137 * 2), 50)

    assert len(resumed) == 50
    assert_same(whole[137:], resumed)


def test_the_slices_of_all_workers_are_the_batches_of_one(folder):
    source = open_source(f"coco:{folder}", "train")
    options = {"sequence": SequenceOptions(max_objects=6), "batch_size": 6, "seed": 2, "start": 12}

    whole = batches(dataset(source, WILD, **options), 4)
    slices = [batches(dataset(source, WILD, **options, shard=(worker, 2)), 4) for worker in range(2)]

    for number, batch in enumerate(whole):
        together = [np.concatenate(parts) for parts in zip(*(part[number] for part in slices), strict=True)]
        assert_same([batch], [together])


@pytest.mark.parametrize("shard", [(2, 2), (-1, 2), (0, 3), (0, 0)])
def test_impossible_shards_are_refused(folder, shard):
    with pytest.raises(InputError, match="share each batch equally"):
        dataset(open_source(f"coco:{folder}", "train"), batch_size=4, shard=shard)


def test_rare_classes_come_more_often(folder, edit_annotations):
    def leave_one_blue(document):
        blue = [record for record in document["annotations"] if record["category_id"] == 9]
        document["annotations"] = [r for r in document["annotations"] if r not in blue or r["image_id"] == 3]

    edit_annotations(folder, "train", leave_one_blue)
    source = open_source(f"coco:{folder}", "train")

    usual = visited(dataset(source), 21)
    repeated = visited(dataset(source, repeat_threshold=1.0), 27)  # √7 = 2.6 times

    assert usual.count(2) == 3
    assert repeated.count(2) in (8, 9) and set(repeated) == set(range(7))


def test_examples_do_not_depend_on_what_the_cache_holds(folder, tmp_path):
    source = open_source(f"coco:{folder}", "train")
    cache = lambda name: PictureCache(tmp_path / name, longest_side=24)

    first = batches(dataset(source, WILD, cache=cache("one")), 10)
    again = batches(dataset(source, WILD, cache=cache("one")), 10)
    elsewhere = batches(dataset(source, WILD, cache=cache("two")), 10)
    without = batches(dataset(source, WILD), 10)

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


def test_a_data_service_gives_the_same_batches(folder, service):
    source = open_source(f"coco:{folder}", "train")
    options = {"sequence": SequenceOptions(max_objects=6), "batch_size": 3, "seed": 4, "start": 9}

    here = batches(dataset(source, WILD, **options), 6)
    served = batches(dataset(source, WILD, **options, service=service), 6)

    assert_same(here, served)


def test_a_data_service_and_a_cache_exclude_each_other(folder, tmp_path):
    source = open_source(f"coco:{folder}", "train")
    with pytest.raises(InputError, match="Use one of"):
        dataset(source, cache=PictureCache(tmp_path / "cache"), service="grpc://localhost:1")

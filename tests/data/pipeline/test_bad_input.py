"""Unreadable images, too many objects and impossible options: what is reported and what is refused."""

import itertools

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras import Vocabulary
from pix2seq_keras.data import open_source
from pix2seq_keras.data.pipeline import input_errors
from pix2seq_keras.data.sources.source import Source
from pix2seq_keras.errors import InputError
from pix2seq_keras.sequences import SequenceOptions


def test_a_truncated_jpeg_is_replaced_by_the_next_image_and_reported(folder, dataset, image_order):
    image = folder / "train" / "3.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)).save(image, format="JPEG")
    image.write_bytes(image.read_bytes()[:-500])
    source = open_source(f"coco:{folder}", "train")

    order = image_order(dataset(source), 14)

    assert sorted(order) == sorted(2 * [0, 1, 2, 4, 4, 5, 6])
    assert source.issues.counts("problem") == {"unreadable image": 1}
    assert "3.png" in source.issues.summary()


def test_more_objects_than_max_objects_are_reported_once_with_their_number(folder, dataset, batches, classes_of):
    source = open_source(f"coco:{folder}", "train")
    data = dataset(source, sequence=SequenceOptions(max_objects=2, noise=False, input_classes="none"))
    counts = [len(classes_of(targets[0])) for _, _, targets, _ in batches(data, 14)]
    dataset(source, sequence=SequenceOptions(max_objects=2))
    reported = [issue for issue in source.issues if issue.kind == "more objects than max_objects"]
    assert counts == [2] * 14
    assert len(reported) == 1
    assert "7 of 7 images" in reported[0].message and "up to 3" in reported[0].message


def test_more_classes_than_the_vocabulary_has_are_refused(folder, dataset):
    source = open_source(f"coco:{folder}", "train")
    with pytest.raises(InputError, match=r"at least the 3 classes.*num_classes=2"):
        dataset(source, vocabulary=Vocabulary(2, 1000))


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"limit": 0}, {"limit": -1}])
def test_sizes_below_one_are_refused(folder, options, dataset):
    with pytest.raises(InputError, match="at least 1"):
        dataset(open_source(f"coco:{folder}", "train"), **options)


def test_a_source_without_annotated_images_is_refused(folder, edit_annotations, dataset):
    edit_annotations(folder, "train", lambda document: document.update(annotations=[]))
    with pytest.raises(InputError, match="must have at least one usable object"):
        dataset(open_source(f"coco:{folder}", "train"))


def test_a_source_without_readable_images_is_refused_at_once(folder, dataset):
    source = open_source(f"coco:{folder}", "train")  # their headers are right
    for image in (folder / "train").iterdir():
        image.write_bytes(image.read_bytes()[:60])
    with pytest.raises(InputError, match="None of the 7 images") as caught:
        dataset(source)
    assert "unreadable image: 7" in str(caught.value)


def test_images_deleted_during_training_raise_an_input_error(folder, dataset):
    source = open_source(f"coco:{folder}", "train")
    data = dataset(source)
    for image in (folder / "train").iterdir():
        image.unlink()
    with pytest.raises(InputError) as caught, input_errors():
        for _ in itertools.islice(data, 10):
            pass
    assert str(caught.value).startswith("None of the 7 images")
    assert "Traceback" not in str(caught.value) and "IteratorGetNext" not in str(caught.value)


def test_other_errors_of_readers_are_not_changed(folder, dataset, batches):
    import tensorflow as tf

    source = open_source(f"coco:{folder}", "train")
    calls = itertools.count()
    example = source.read(0)  # its image is pixels: there is no file that TensorFlow could read alone

    def read(index):
        if next(calls) > 3:
            raise RuntimeError("a defect")
        return example

    broken = Source(**{**vars(source), "read": read})
    with pytest.raises(tf.errors.OpError, match="a defect"), input_errors():
        batches(dataset(broken), 20)

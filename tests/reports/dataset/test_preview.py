"""The gallery of training images: boxes and text are those of the tokens."""

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras.data import Augmentation, open_source, training_dataset
from pix2seq_keras.errors import InputError
from pix2seq_keras.reports.dataset.preview import draw_training_example, save_training_gallery, sequence_words
from pix2seq_keras.sequences import SequenceOptions
from pix2seq_keras.vocabulary import Vocabulary

VOCABULARY = Vocabulary(num_classes=3, num_bins=97)
NAMES = ("red", "green", "blue")


@pytest.fixture(scope="module")
def examples(write_rectangles, tmp_path_factory):
    """Examples with noise objects, and one without."""
    folder = write_rectangles(tmp_path_factory.mktemp("gallery") / "coco", {"train": 4}, size=(96, 96))
    source = open_source(f"coco:{folder}", "train")

    def build(noise):
        options = SequenceOptions(max_objects=6, noise=noise)
        still = Augmentation(min_scale=1.0, max_scale=1.0)
        dataset = training_dataset(source, VOCABULARY, (96, 96), 1, options, still)
        return list(dataset.unbatch().take(4).as_numpy_iterator())

    return {"noise": build(True), "plain": build(False)}


def test_words_are_the_sequence_and_noise_coordinates_have_weight_zero(examples):
    _, targets, weights = examples["noise"][0]

    lines = sequence_words(targets, weights, VOCABULARY, NAMES)

    assert len(lines) == 6
    assert {lines[n][4][0] for n in range(3)} == set(NAMES) and {line[4][0] for line in lines[3:]} == {"noise"}
    bins = [[int(word) for word, _ in line[:4]] for line in lines]
    np.testing.assert_array_equal(np.reshape(targets, (6, 5))[:, :4] - VOCABULARY.coord_shift, bins)
    assert [weight for line in lines[:3] for _, weight in line] == [1.0] * 15
    assert all([weight for _, weight in line] == [0.0] * 4 + [1.0] for line in lines[3:])


def test_a_sequence_without_noise_ends_with_a_word_for_its_padding(examples):
    _, targets, weights = examples["plain"][0]

    lines = sequence_words(targets, weights, VOCABULARY, NAMES)

    assert len(lines) == 4 and lines[3] == [("end, then 14 tokens of padding", pytest.approx(0.1))]


def test_red_boxes_are_drawn_around_the_objects(examples):
    """The colour of the object is inside of the drawn outline, after any augmentation."""
    for x, targets, weights in examples["plain"]:
        panel = draw_training_example(x["images"], targets, weights, VOCABULARY, NAMES)
        scale = panel.shape[1] / 96
        outline = np.all(panel[: panel.shape[1]] == (230, 30, 30), axis=-1)
        objects = np.reshape(targets, (-1, 5))[:3]
        for ymin, xmin, ymax, xmax in (objects[:, :4] - VOCABULARY.coord_shift) / 96:
            top, left, bottom, right = np.array([ymin, xmin, ymax, xmax]) * panel.shape[1]
            assert outline[int(top) : int(top) + 4, int((left + right) / 2)].any()
            assert outline[int((top + bottom) / 2), int(right) - 4 : int(right) + 4].any()
            inside = panel[int(top + scale) : int(bottom - scale), int(left + scale) : int(right - scale)]
            beyond = panel[max(0, int(top - 2 * scale)), int((left + right) / 2)]
            assert (inside[4:-4, 4:-4].max(-1) > 200).mean() > 0.95 and beyond.max() < 60


def test_noise_objects_are_white_and_real_objects_red(examples):
    black = np.zeros((96, 96, 3), np.float32)
    _, targets, weights = examples["noise"][0]

    panel = draw_training_example(black, targets, weights, VOCABULARY, NAMES)[:480]

    colours = {tuple(colour) for colour in panel.reshape(-1, 3)[::7].tolist()}
    assert {(0, 0, 0), (230, 30, 30), (255, 255, 255)} == colours


def test_the_gallery_has_all_panels_at_full_size(examples, tmp_path):
    path = tmp_path / "new" / "sheet.png"

    save_training_gallery(path, examples["noise"], VOCABULARY, NAMES, title="title", columns=3)

    width, height = Image.open(path).size
    assert width >= 3 * 480 and height >= 2 * 480
    with pytest.raises(InputError, match="at least one example"):
        save_training_gallery(path, [], VOCABULARY, NAMES)


def test_any_names_and_hundreds_of_objects_can_be_drawn():
    targets = np.tile([10, 10, 20, 20, VOCABULARY.class_tokens[1]], 300)

    for names in (("", "x" * 500, ""), ("", "line\nbreak\x00\udcff", "")):
        panel = draw_training_example(np.zeros((4, 300, 3)), targets, np.ones(1500), VOCABULARY, names)
        assert panel.shape[1] == 480 and panel.shape[0] > 150 * 15  # two columns

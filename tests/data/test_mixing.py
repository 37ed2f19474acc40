"""Several data sets as one source, with their shares."""

import numpy as np
import pytest

from pix2seq_keras.data import open_source
from pix2seq_keras.data.mixing import MixTerm, mix_terms
from pix2seq_keras.errors import InputError


@pytest.fixture(scope="module")
def folders(write_rectangles, tmp_path_factory):
    """Data sets of 12 grey-backed and 4 black-backed images, the second under other split names."""
    folder = tmp_path_factory.mktemp("mix")
    big = write_rectangles(folder / "big", {"train": 12, "val": 2}, background=lambda index: 100)
    small = write_rectangles(folder / "small", {"training": 4, "val": 2})
    return big, small


@pytest.fixture(scope="module")
def renamed(write_rectangles, edit_annotations, tmp_path_factory):
    """A data set with the classes blue and cyan in place of red, green and blue."""
    folder = write_rectangles(tmp_path_factory.mktemp("renamed") / "set", {"train": 4})

    def rename(document):
        document["categories"] = [{"id": 5, "name": "cyan"}, {"id": 9, "name": "blue"}]

    edit_annotations(folder, "train", rename)
    return folder


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("[coco:A]", [MixTerm("coco:A", None, {})]),
        (
            "0.7*[coco:A]+0.3*[yolo:b/data.yaml]",
            [MixTerm("coco:A", 0.7, {}), MixTerm("yolo:b/data.yaml", 0.3, {})],
        ),
        (
            "[coco:a+b.json+c*d, e]+[tfds:voc?objects=o&bbox=b]",
            [MixTerm("coco:a+b.json+c*d, e", None, {}), MixTerm("tfds:voc?objects=o&bbox=b", None, {})],
        ),
        (
            ".5*[coco:x[1]]{train=train2017, val=val2017}+2*[coco:y]",
            [MixTerm("coco:x[1]", 0.5, {"train": "train2017", "val": "val2017"}), MixTerm("coco:y", 2.0, {})],
        ),
    ],
)
def test_terms_are_separated_with_any_characters_in_their_paths(text, terms):
    assert mix_terms(f"mix:{text}") == mix_terms(f"mix-by-name:{text}") == terms


@pytest.mark.parametrize(
    "text", ["coco:A+coco:B", "[coco:A", "[coco:A]+", "0.5*[a]+[b]", "0*[a]+1*[b]", "-1*[a]", "[a]{b}"]
)
def test_other_forms_are_refused(text):
    with pytest.raises(InputError, match=r"mixture"):
        open_source(f"mix:{text}", "train")


def test_without_weights_every_image_comes_once(folders):
    big, small = folders

    source = open_source(f"mix:[coco:{big}]+[coco:{small}]{{train=training}}", "train")

    assert len(source) == 16 and source.image_ids.tolist() == list(range(1, 17))
    assert source.read(12)["image_id"] == 13 and source.objects(12)["image_id"] == 13
    assert [source.read(index)["image"][0, 0, 0] for index in (0, 11, 12, 15)] == [100, 100, 0, 0]
    assert len(source.labels) == len(source.sizes) == 16 and "small" in source.labels[12]


@pytest.mark.parametrize("weights", [(0.5, 0.5), (3, 1), (0.1, 0.9), (0.9, 0.1)])
def test_weights_are_shares_of_every_section_of_the_order(folders, weights):
    big, small = folders
    mixture = f"mix:{weights[0]}*[coco:{big}]+{weights[1]}*[coco:{small}]{{train=training}}"

    source = open_source(mixture, "train")

    from_big = np.array(["/big/" in label for label in source.labels])
    share = weights[0] / sum(weights)
    assert from_big.mean() == pytest.approx(share, abs=1 / len(source))
    running = np.cumsum(from_big) - share * np.arange(1, len(source) + 1)
    assert np.abs(running).max() <= 1.5, "every section has its share"
    assert set(source.labels) == set(open_source(f"mix:[coco:{big}]+[coco:{small}]{{train=training}}", "train").labels)
    assert len(set(source.image_ids.tolist())) == len(source)
    assert open_source(mixture, "train").labels == source.labels


def test_slices_are_taken_of_every_data_set_before_mixing(folders):
    big, small = folders
    mixture = f"mix:0.5*[coco:{big}]+0.5*[coco:{small}]{{train=training}}"

    left, right = open_source(mixture, "train[:50%]"), open_source(mixture, "train[50%:]")

    assert len(left) == len(right) == 12
    assert not set(left.labels) & set(right.labels)


def test_different_classes_are_refused_or_matched_by_name(folders, renamed):
    big, _ = folders

    with pytest.raises(
        InputError, match=r"the same classes.*; only .*big has 'green', 'red'; only .* has 'cyan'.*mix-by"
    ):
        open_source(f"mix:[coco:{big}]+[coco:{renamed}]", "train")
    source = open_source(f"mix-by-name:[coco:{big}]+[coco:{renamed}]", "train")

    assert source.categories.names == ("red", "green", "blue", "cyan")
    assert source.categories.ids == (1, 5, 9, 10)
    assert set(source.read(12)["classes"]) <= {2, 3} and set(source.objects(12)["classes"]) <= {2, 3}
    alone = open_source(f"coco:{renamed}", "train")
    names = [alone.categories.names[c] for c in alone.read(0)["classes"]]
    assert [source.categories.names[c] for c in source.read(12)["classes"]] == names


def test_issues_name_their_data_set(folders, renamed):
    big, _ = folders

    source = open_source(f"mix-by-name:[coco:{big}]+[coco:{renamed}]", "train")

    assert source.issues.counts()["unknown category"] > 0
    assert all(str(renamed) in issue.where for issue in source.issues)


def test_an_epoch_that_is_too_long_is_refused(folders):
    big, small = folders

    with pytest.raises(InputError, match="at most 100,000,000 examples"):
        open_source(f"mix:1000000000*[coco:{small}]{{train=training}}+0.00001*[coco:{big}]", "train")

"""Any source is converted to COCO, VOC, YOLO or TFRecord files, completely or not at all, and losses are listed."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras.data import ImageError, open_source
from pix2seq_keras.data.convert import convert_source, open_splits
from pix2seq_keras.data.formats import writable_formats
from pix2seq_keras.data.sources.converted_images import _unused_stem
from pix2seq_keras.errors import InputError

CATEGORIES = [{"id": 3, "name": "dog & cat <1>"}, {"id": 90, "name": "Käfer"}, {"id": 17, "name": "never used"}]


@pytest.fixture(scope="module")
def coco(tmp_path_factory):
    """12 images in two splits: boxes on and between pixels, crowds, own areas, unusual names, a rotated image."""
    folder = tmp_path_factory.mktemp("coco") / "set"
    (folder / "annotations").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for split, count in (("train", 8), ("val", 4)):
        images, annotations = [], []
        (folder / split / "sub").mkdir(parents=True)
        for index in range(count):
            width, height = 50 + index, 40
            name = ("a b.png", "sub/a b.png", "ä.jpg", "rotated.jpg")[index] if index < 4 else f"{index}.jpg"
            exif = Image.Exif()
            if name == "rotated.jpg":
                exif[0x0112] = 6
                width, height = height, width
            pixels = rng.integers(0, 256, (40, 50 + index, 3), np.uint8)
            Image.fromarray(pixels).save(folder / split / name, exif=exif)
            images.append({"id": 1000 + 7 * index, "file_name": name, "width": width, "height": height})
            for row in range(index % 4):
                x, y, w, h = rng.uniform(1, 20, 4).round(0 if index % 2 else 3).tolist()
                record = {"image_id": 1000 + 7 * index, "category_id": (3, 90)[row % 2], "bbox": [x, y, w, h]}
                record |= {"id": len(annotations) + 1, "iscrowd": int(row == 2), "area": w * h * (0.5 if row else 1)}
                annotations.append(record)
        document = {"images": images, "annotations": annotations, "categories": CATEGORIES}
        (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps(document))
    return f"coco:{folder}"


def equal(one, other, *, keys=("image", "image_id", "boxes", "classes", "is_crowd", "area"), atol=0.0):
    assert len(one) == len(other) and one.categories.names == other.categories.names
    for index in range(len(one)):
        first, second = one.read(index), other.read(index)
        for key in keys:
            if key == "boxes":
                sides = np.tile(first["image"].shape[:2], 2)
                assert np.abs((first[key] - second[key]) * sides).max(initial=0) <= atol
            else:
                np.testing.assert_array_equal(first[key], second[key], err_msg=key)


def by_size(source):
    """Indices in the order of the images' longer sides, which all differ: YOLO reads folders in another order."""
    sides = source.sizes.max(-1)
    assert len(set(sides.tolist())) == len(source)
    return np.argsort(sides)


@pytest.mark.parametrize("to", ["coco", "tfrecord"])
def test_coco_and_tfrecord_lose_nothing(coco, tmp_path, to):
    splits = open_splits(coco, "train,val")

    result = convert_source(splits, tmp_path / "out", to)

    assert result.source == f"{to}:{tmp_path}/out"
    assert result.images == {"train": 8, "val": 4} and result.objects == {"train": 12, "val": 6}
    assert result.notes == ("2 images were converted to PNG, without loss of pixels",)
    for name, source in splits.items():
        back = open_source(result.source, name)
        assert back.categories == source.categories
        equal(source, back)
        assert back.issues.counts("problem") == {} and "rotated by EXIF" not in back.issues.counts()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("to", ["voc", "yolo"])
def test_boxes_converted_twice_are_within_the_precision_of_the_format(coco, tmp_path, to):
    source = open_source(coco, "train")

    converted = convert_source(source, tmp_path / to, to)
    back = open_source(
        convert_source(open_source(converted.source, "train"), tmp_path / "back", "coco").source, "train"
    )

    if to == "voc":
        equal(source, back, keys=("image", "boxes", "classes", "is_crowd"), atol=0.5 + 1e-5)
    else:
        for index, other in zip(by_size(source), by_size(back), strict=True):
            first, second = source.read(index), back.read(other)
            for key in ("boxes", "classes"):
                np.testing.assert_array_equal(first[key][~first["is_crowd"]], second[key])
            np.testing.assert_array_equal(first["image"], second["image"])


def test_boxes_on_whole_pixels_are_unchanged_by_voc(bccd_dir, tmp_path):
    source = open_source(f"coco:{bccd_dir}", "val[:20]")

    converted = convert_source(source, tmp_path / "voc", "voc")
    back = convert_source(open_source(converted.source, "val"), tmp_path / "coco", "coco")

    assert converted.notes == back.notes == ()
    equal(source, open_source(back.source, "val"), keys=("boxes", "classes", "is_crowd", "area"))


def test_losses_are_listed(coco, tmp_path):
    source = open_source(coco, "train")

    voc, yolo = (convert_source(source, tmp_path / to, to).notes for to in ("voc", "yolo"))

    assert set(voc) == {
        "1 images were converted to PNG, without loss of pixels",
        "4 boxes were rounded to whole pixels, as VOC requires",
        "6 objects lost areas that are not those of their boxes",
        "2 crowds became difficult objects",
    }
    assert set(yolo) == {
        "1 images were converted to PNG, without loss of pixels",
        "2 crowds are left out, as YOLO has none",
        "4 objects lost areas that are not those of their boxes",
    }


@pytest.mark.parametrize("to", writable_formats())
def test_upright_images_are_copied_unchanged(coco, tmp_path, to):
    source = open_source(coco, "train")

    back = open_source(convert_source(source, tmp_path / "out", to).source, "train")

    pairs = zip(by_size(source), by_size(back), strict=True)
    same = [source.encoded(index) == back.encoded(other) for index, other in pairs]
    assert same == [True, True, True, False, True, True, True, True]


@pytest.mark.parametrize("to", writable_formats())
def test_digit_scenes_convert_to_any_format(tmp_path, monkeypatch, to):
    monkeypatch.setenv("PIX2SEQ_DATA_DIR", str(tmp_path / "data"))
    source = open_source("digits:64", "test[:5]")

    back = open_source(convert_source(source, tmp_path / "out", to).source, "test")

    equal(source, back, keys=("image", "classes", "boxes"), atol=0.5 + 1e-5 if to == "voc" else 0)


def test_equal_and_unusual_names_are_replaced(coco, tmp_path):
    convert_source(open_splits(coco, "train,val"), tmp_path / "out", "voc")

    names = sorted(path.stem for path in (tmp_path / "out" / "JPEGImages").iterdir())
    assert len(names) == 12 and {"a_b", "a_b_2", "a_b_3", "a_b_4", "ä", "ä_2"} <= set(names)
    assert (tmp_path / "out" / "classes.txt").read_text() == "dog & cat <1>\nnever used\nKäfer\n"


def test_images_of_one_name_are_numbered_without_trying_all_numbers_again():
    lookups = 0

    class Names(dict):
        def __contains__(self, name):
            nonlocal lookups
            lookups += 1
            return super().__contains__(name)

    source = SimpleNamespace(labels=["1/a.jpg", "a_3.jpg", *(f"{folder}/A.jpg" for folder in range(2, 1000))])
    names = Names()

    stems = [_unused_stem(source, index, names) for index in range(1000)]

    assert stems[:5] == ["a", "a_3", "A_2", "A_4", "A_5"]
    assert len({stem.lower() for stem in stems}) == 1000
    assert lookups < 3 * 1000


def test_a_folder_with_content_is_refused_and_unchanged(coco, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("my notes")

    with pytest.raises(InputError, match="must be a new or empty folder"):
        convert_source(open_source(coco, "train"), tmp_path / "mine", "coco")

    assert (tmp_path / "mine" / "notes.txt").read_text() == "my notes"


@pytest.mark.parametrize("to", writable_formats())
def test_an_interrupted_conversion_leaves_nothing(coco, tmp_path, to):
    def interrupt(done):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert_source(open_source(coco, "train"), tmp_path / "out", to, progress=interrupt)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("to", writable_formats())
def test_unreadable_images_are_left_out_and_reported(coco, tmp_path, to):
    source = open_source(coco, "train")
    source.encoded, read = None, source.read

    def read_or_fail(index):
        if index in (1, 5):
            raise ImageError("This image is truncated.")
        return read(index)

    source.read = read_or_fail
    result = convert_source(source, tmp_path / "out", to)

    assert result.images == {"train": 6}
    assert "2 images of train cannot be read and are left out" in result.notes
    assert source.issues.counts()["unreadable image"] == 2
    assert len(open_source(result.source, "train")) == 6


@pytest.mark.parametrize("to", writable_formats())
def test_a_conversion_of_only_unreadable_images_writes_nothing(coco, tmp_path, to):
    def fail(index):
        raise ImageError("This image is truncated.")

    source = open_source(coco, "val")
    source.encoded, source.read = None, fail

    with pytest.raises(InputError, match=r"None of the images can be read(.|\n)*unreadable image: 4"):
        convert_source(source, tmp_path / "out", to)

    assert list(tmp_path.iterdir()) == []


def test_splits_get_the_requested_names(coco):
    plain = open_splits(coco, "train[:3], val")
    named = open_splits(coco, "train=train[:50%],held_out=train[50%:]")

    assert {name: len(source) for name, source in plain.items()} == {"train": 3, "val": 4}
    assert {name: len(source) for name, source in named.items()} == {"train": 4, "held_out": 4}
    with pytest.raises(InputError, match=r"must differ. Received: 'train' twice"):
        open_splits(coco, "train[:3],train[3:]")
    with pytest.raises(InputError, match="must name the splits to convert"):
        open_splits(coco, " , ")


def test_impossible_conversions_are_refused(coco, tmp_path, write_rectangles):
    source = open_source(coco, "train")
    other = open_source(f"coco:{write_rectangles(tmp_path / 'other', {'val': 1})}", "val")

    with pytest.raises(InputError, match="Received: to='csv'"):
        convert_source(source, tmp_path / "out", "csv")
    with pytest.raises(InputError, match="must have the same classes"):
        convert_source({"train": source, "val": other}, tmp_path / "out")
    with pytest.raises(InputError, match="letters, digits and underscores"):
        convert_source({"../train": source}, tmp_path / "out")
    with pytest.raises(InputError, match="cannot be written"):
        convert_source(source, "/proc/out")

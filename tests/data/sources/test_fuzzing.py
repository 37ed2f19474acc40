"""Any annotation file gives a source or an `InputError`: no other error, no hang, no read outside its folder.

Small valid data sets are beside a folder that must not be read, with links to it. Their annotation files are mutated,
2,000 times in all, and opened.
"""

import contextlib
import json
import os
import random
import signal
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pix2seq_keras.data import open_source
from pix2seq_keras.data.sources.coco.read import open_coco
from pix2seq_keras.data.sources.split_parts import parse_split
from pix2seq_keras.data.sources.voc.xml_file import check_object, parse_voc
from pix2seq_keras.data.sources.yolo.labels import YoloRow, parse_labels
from pix2seq_keras.errors import InputError

MUTATIONS = {"coco": 700, "voc": 650, "yolo": 650}
SECONDS = 5  # a file of a few hundred bytes takes milliseconds
_READS = ("open", "os.listdir", "os.scandir")
_watched: list[str] | None = None


def _watch(event, arguments):
    if _watched is not None and event in _READS and isinstance(arguments[0], str | bytes | os.PathLike):
        _watched.append(os.fsdecode(arguments[0]))


@pytest.fixture(scope="module", autouse=True)
def audit():
    sys.addaudithook(_watch)  # it cannot be removed, and does nothing outside of `watching`


@contextlib.contextmanager
def watching(outside):
    """Fails if something in the folder `outside` is opened or listed, or if the block takes too long."""
    global _watched

    def too_long(*_):
        raise AssertionError(f"still not done after {SECONDS} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    _watched = paths = []
    try:
        yield
    finally:
        _watched = None
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not [path for path in set(paths) if os.path.realpath(path).startswith(str(outside))]


@pytest.fixture
def outside(tmp_path, save_image):
    """A folder with files of every kind, which nothing may read."""
    folder = tmp_path / "outside"
    folder.mkdir()
    save_image(folder / "secret.png")
    (folder / "secret.xml").write_text(VOC)
    (folder / "secret.txt").write_text(LABELS)
    (folder / "secret.json").write_text("{}")
    return folder.resolve()


VOC = (
    "<annotation><filename>a.png</filename><size><width>60</width><height>40</height></size>"
    "<object><name>cat</name><difficult>0</difficult><bndbox><xmin>34</xmin><ymin>5</ymin><xmax>57</xmax>"
    "<ymax>14</ymax></bndbox></object><object><name>dog</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax>"
    "<ymax>9</ymax></bndbox></object></annotation>"
)
LABELS = "1 0.75 0.225 0.4 0.25\n0 0.5 0.5 0.2 0.2 0.3 0.3 0.1 0.1\n"
COCO = {
    "images": [
        {"id": 1, "file_name": "a.png", "width": 60, "height": 40},
        {"id": 2, "file_name": "images/v1/patch0/b.png", "width": 40, "height": 60},
    ],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [33, 4, 24, 10], "area": 240.0, "iscrowd": 0},
        {"id": 2, "image_id": 2, "category_id": 5, "bbox": [1.5, 2.5, 1e1, 20], "segmentation": [[1, 2]]},
    ],
    "categories": [{"id": 1, "name": "cat"}, {"id": 5, "name": "dog"}],
}
YAML = "path: .\ntrain: images/train\nval: list.txt\nnames:\n  0: cat\n  1: dog\n"
LIST = "./images/train/a.png\nimages/train/b.png\n"

COMMON = [
    "NaN", "-1", "0", "1e400", "-1e308", "1e-320", "9" * 30, "9" * 5000, "null", "true", "\0", "\ud7ff", "﻿", "é",
    "../outside/secret.png", "../outside", "away", "away/secret.png", "link.png", "/etc/passwd", "..", ".", "/", "\\",
    "a" * 300, "a/" * 3000, " ", "\n", "\t", "'", '"',
]  # fmt: skip
TOKENS = {
    "coco": [*COMMON, "{", "}", "[", "]", "[]", "{}", ",", ":", "[" * 2000, '"id"', "Infinity", "\\ud800"],
    "voc": [
        *COMMON, "<", ">", "</", "&x;", "&lt;", "<object>", "</object>", "<a>" * 100, "<!DOCTYPE a>", "<![CDATA[",
        '<!DOCTYPE a [<!ENTITY x "y">]>', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "<!--", "<?",
        '<?xml version="1.0" encoding="utf-16"?>', '<?xml version="1.0" encoding="punycode"?>',
    ],
    "yolo": [
        *COMMON, "&a ", "*a", "!!python/name:os.system", "!!int", "!!timestamp x", "- ", "[", "{", "? ", "<<: ", "%",
        "| ", "---\n", "2001-99-99", "1:2:3", "train", "images", "list.txt", "data.yaml", "1 1 1 1 1\n", "nan", "inf",
    ],
}  # fmt: skip


def mutated(rng, text, tokens):
    """The text with one to three pieces deleted, doubled, overwritten or inserted."""
    data = text.encode("utf-8", "surrogatepass")
    if data.startswith(b"{") and rng.random() < 0.5:  # valid JSON with one value replaced
        document = json.loads(text)
        record = rng.choice(rng.choice(list(document.values())))
        value = rng.choice((*tokens, -1, 0, 1, 5, 10**30, -0.5, 1e308, None, True, [], {}, [[]] * 4, [1, 2, 3, 4]))
        record[rng.choice(list(record))] = value
        return json.dumps(document).encode()
    for _ in range(rng.randint(1, 3)):
        start = rng.randrange(len(data) + 1)
        stop = min(len(data), start + rng.choice((0, 1, 1, 2, 5, 20)))
        token = rng.choice(tokens).encode("utf-8", "surrogatepass")
        kind = rng.randrange(6)
        if kind == 0:
            piece = b""
        elif kind == 1:
            piece = data[start:stop] * 2
        elif kind == 2:
            piece = bytes(rng.randrange(256) for _ in range(stop - start))
        elif kind == 3 and rng.random() < 0.1:
            return data[:start]
        else:
            piece = token
        data = data[:start] + piece + data[stop:]
    return data


def check(source):
    """Checks the types and ranges of everything in a source."""
    assert len(source) > 0 and len(set(source.image_ids.tolist())) == len(source)
    for index in range(len(source)):
        objects = source.objects(index)
        boxes = objects["boxes"]
        assert boxes.dtype == np.float32 and boxes.shape == (len(objects["classes"]), 4)
        assert ((boxes >= 0) & (boxes <= 1)).all() and (boxes[:, 2:] > boxes[:, :2]).all()
        assert ((objects["classes"] >= 0) & (objects["classes"] < len(source.categories))).all()
        assert np.isfinite(objects["area"]).all() and (source.sizes[index] > 0).all()
    for issue in source.issues:
        assert len(issue.message) < 20_000


def open_and_check(source, split, outside):
    """1 if the source opens, 0 if it raises `InputError`; anything else fails."""
    with watching(outside):
        try:
            opened = open_source(source, split)
        except InputError as error:
            assert str(error)
            return 0
        check(opened)
        return 1


@pytest.fixture
def write_data_set(tmp_path, outside, save_image):
    """A function that writes a data set of one kind: its folder, and its annotation files with their texts."""

    def write(kind):
        root = tmp_path / kind
        images = {"coco": "train", "voc": "JPEGImages", "yolo": "images/train"}[kind]
        texts = {
            "coco": {"annotations/instances_train.json": json.dumps(COCO)},
            "voc": {
                "Annotations/a.xml": VOC,
                "Annotations/b.xml": VOC,
                "ImageSets/Main/train.txt": "a\nb\n",
                "classes.txt": "cat\ndog\n",
            },
            "yolo": {"data.yaml": YAML, "labels/train/a.txt": LABELS, "list.txt": LIST},
        }[kind]
        (root / images / "patch0").mkdir(parents=True)
        for name in ("a.png", "b.png", "patch0/b.png"):
            save_image(root / images / name)
        (root / images / "link.png").symlink_to(outside / "secret.png")
        (root / images / "away").symlink_to(outside)
        (root / "away").symlink_to(outside)
        for name, text in texts.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        return root, texts

    return write


@pytest.mark.parametrize("kind", MUTATIONS)
def test_mutated_annotation_files_give_a_source_or_an_input_error(kind, write_data_set, outside):
    root, texts = write_data_set(kind)
    source = f"yolo:{root}/data.yaml" if kind == "yolo" else f"{kind}:{root}"
    assert open_and_check(source, "train", outside) == 1
    opened = 0

    for number in range(MUTATIONS[kind]):
        rng = random.Random(f"{kind} {number}")
        name = rng.choice(sorted(texts))
        (root / name).write_bytes(mutated(rng, texts[name], TOKENS[kind]))
        split = "val" if name == "list.txt" else "train"
        try:
            opened += open_and_check(source, split, outside)
        except BaseException as error:
            error.add_note(f"mutation {number}: {name}: {(root / name).read_bytes()[:2000]!r}")
            raise
        (root / name).write_text(texts[name])

    # If all were refused, or none, the mutations would test nothing.
    assert 0.1 * MUTATIONS[kind] < opened < 0.95 * MUTATIONS[kind]


def test_a_read_outside_is_detected(outside):
    with pytest.raises(AssertionError), watching(outside):
        (outside / "secret.txt").read_text()


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.sampled_from(("images", "annotations", "categories"))
QUICK = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@QUICK
@given(record=RECORDS, position=st.integers(0, 1), value=ANY_JSON, data=st.data())
def test_any_value_in_any_field_of_a_coco_file_is_handled(record, position, value, data, coco):
    key = data.draw(st.sampled_from(("id", "file_name", "width", "image_id", "category_id", "bbox", "iscrowd", "name")))
    document = json.loads(json.dumps(COCO))
    document[record][position][key] = value
    coco.document.parent.mkdir(exist_ok=True)
    coco.document.write_text(json.dumps(document))

    with contextlib.suppress(InputError):
        check(open_coco(coco.folder.parent, "train"))


@QUICK
@given(data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_give_an_annotation_or_an_input_error(data):
    for text in (
        data,
        b"<annotation>" + data + b"</annotation>",
        b"<annotation><object>" + data + b"</object></annotation>",
    ):
        with contextlib.suppress(InputError):
            for found in parse_voc(text, "a.xml").objects:
                check_object(found)


@QUICK
@given(text=st.text(max_size=200) | st.text(alphabet="0123456789.eE+- \n", max_size=200), keypoints=st.booleans())
def test_any_text_gives_rows_and_faults(text, keypoints):
    for row in parse_labels(text, keypoints):
        if isinstance(row, YoloRow):
            assert len(row.edges) == 4 and not any(map(np.isnan, row.edges))


@QUICK
@given(text=st.text(max_size=30) | st.text(alphabet="train[]:%+-0123456789", max_size=30), count=st.integers(1, 1000))
def test_any_text_gives_a_split_within_bounds_or_none(text, count):
    for part in parse_split(text) or []:
        start, stop = part.bounds(count)
        assert 0 <= start <= stop <= count

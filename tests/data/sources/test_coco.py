"""A COCO folder is opened as it is meant, or refused in a sentence."""

import tracemalloc

import numpy as np
import pytest

from pix2seq_keras.data.sources.coco import open_coco
from pix2seq_keras.errors import InputError

WIDTH, HEIGHT = 60, 40
BOX = [33, 4, 24, 10]  # x, y, width, height
REL = np.array([4 / 40, 33 / 60, 14 / 40, 57 / 60], np.float32)


def image(identifier=1, file_name="a.png", **more):
    return {"id": identifier, "file_name": file_name, "width": WIDTH, "height": HEIGHT, **more}


def annotation(identifier=1, image_id=1, category_id=1, bbox=BOX, **more):
    return {"id": identifier, "image_id": image_id, "category_id": category_id, "bbox": bbox, **more}


def test_bccd_has_all_its_pictures_and_objects(bccd_dir):
    source = open_coco(bccd_dir, "train")

    example = source.read(0)

    assert len(source) == 205 and source.object_counts.sum() == 2804 and len(source.findings) == 0
    assert source.categories.names == ("RBC", "WBC", "Platelets")
    assert example["image"].shape == (480, 640, 3) and example["image_id"] == 1
    first = np.array([315 / 480, 68 / 640, 480 / 480, 286 / 640])
    np.testing.assert_allclose(example["boxes"][0], first, atol=1e-6)
    assert example["classes"][0] == 1 and example["area"][0] == 35970


def test_an_example_is_typed_as_promised_and_keeps_crowds(coco):
    source = coco(
        annotations=[
            annotation(1, category_id=5, area=17.5),
            annotation(2, iscrowd=1, bbox=[0, 0, 10, 10]),
            annotation(3, area=None, bbox=[0, 0, 10.5, 10]),
        ]
    )

    example = source.read(0)

    assert {key: value.dtype for key, value in example.items()} == {
        "image": np.uint8,
        "image_id": np.int64,
        "boxes": np.float32,
        "classes": np.int32,
        "is_crowd": bool,
        "area": np.float32,
    }
    np.testing.assert_allclose(example["boxes"][0], REL)
    assert example["classes"].tolist() == [1, 0, 0]
    assert example["is_crowd"].tolist() == [False, True, False]
    assert example["area"].tolist() == [17.5, 100.0, 105.0]
    assert source.object_counts.tolist() == [2] and source.annotated.tolist() == [True]


def test_objects_go_to_their_pictures_in_the_order_of_the_file(coco):
    coco.save(coco.folder / "b.png")
    coco.save(coco.folder / "c.png")
    source = coco(
        images=[image(30, "c.png"), image(10, "a.png"), image(20, "b.png")],
        annotations=[
            annotation(i, image_id, bbox=[i, 0, 5, 5]) for i, image_id in enumerate([20, 30, 20, 30, 30], start=1)
        ],
    )

    assert source.image_ids.tolist() == [30, 10, 20] and source.object_counts.tolist() == [3, 0, 2]
    lefts = [(source.read(i)["boxes"][:, 1] * WIDTH).round().tolist() for i in range(3)]
    assert lefts == [[2, 4, 5], [], [1, 3]]
    assert source.findings.counts() == {"picture without annotations": 1}
    assert source.label(2).endswith("b.png")
    assert [int(e["image_id"]) for e in source.dataset()] == [30, 10, 20]


def test_a_folder_that_is_not_there_and_a_missing_split_are_named(coco, tmp_path):
    coco()
    (tmp_path / "annotations" / "instances_val.json").write_text("{}")

    with pytest.raises(InputError, match=r"no folder .*nowhere"):
        open_coco(tmp_path / "nowhere", "train")
    with pytest.raises(InputError, match=r"'test' has no annotation file .* splits train, val"):
        open_coco(tmp_path, "test")
    with pytest.raises(InputError, match="has no annotation file"):
        open_coco(tmp_path, "../annotations/train")
    with pytest.raises(InputError, match=r"no folder of pictures .*val"):
        open_coco(tmp_path, "val")
    with pytest.raises(InputError, match="none there at all"):
        open_coco(tmp_path / "train", "train")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ('{"images": [\n{"id": 1, ', r"line 2, column \d+"),
        ("hello", "line 1, column 1"),
        ("[]", "holds a list"),
        ('{"images": [], "annotations": []}', '"categories" must be a list, it has nothing'),
        ('{"images": {}, "annotations": [], "categories": []}', '"images" must be a list, it has a dict'),
        ('{"images": [], "annotations": [], "categories": [{"id": 1, "name": "a"}]}', "lists no pictures"),
        ('{"images": [1], "annotations": [], "categories": []}', "categories of .* cannot be used"),
        (
            '{"images": [1], "annotations": [], "categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}',
            "repeats the id 1",
        ),
        ("[" * 100_000, "not JSON that can be read"),
        ("\xff\xfe\xff", "not JSON"),
    ],
)
def test_a_file_that_is_no_coco_json_is_named_in_a_sentence(coco, tmp_path, text, words):
    coco.document.write_text(text, encoding="latin-1")

    with pytest.raises(InputError, match=words) as caught:
        open_coco(tmp_path, "train")

    assert "instances_train.json" in str(caught.value)


def test_polygons_do_not_pile_up_in_memory(coco):
    polygon = [[float(i) for i in range(400)]]
    records = [annotation(i, segmentation=polygon) for i in range(1, 1501)]
    coco(annotations=records)
    del records

    tracemalloc.start()
    open_coco(coco.folder.parent, "train")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    text = coco.document.stat().st_size
    assert peak < 3.2 * text, f"{peak / text:.1f} times the size of the file"

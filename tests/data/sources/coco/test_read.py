"""A COCO folder is opened with all its images and objects, or refused with a reason."""

import os
import tracemalloc

import numpy as np
import pytest

from pix2seq_keras.data.sources.coco.read import open_coco
from pix2seq_keras.errors import InputError

WIDTH, HEIGHT = 60, 40
BOX = [33, 4, 24, 10]  # x, y, width, height
REL = np.array([4 / 40, 33 / 60, 14 / 40, 57 / 60], np.float32)


def image(identifier=1, file_name="a.png", **more):
    return {"id": identifier, "file_name": file_name, "width": WIDTH, "height": HEIGHT, **more}


def annotation(identifier=1, image_id=1, category_id=1, bbox=BOX, **more):
    return {"id": identifier, "image_id": image_id, "category_id": category_id, "bbox": bbox, **more}


def test_bccd_has_all_its_images_and_objects(bccd_dir):
    source = open_coco(bccd_dir, "train")

    example = source.read(0)

    assert len(source) == 205 and source.object_counts.sum() == 2804 and len(source.issues) == 0
    assert source.categories.names == ("RBC", "WBC", "Platelets")
    assert example["image"].shape == (480, 640, 3) and example["image_id"] == 1
    first = np.array([315 / 480, 68 / 640, 480 / 480, 286 / 640])
    np.testing.assert_allclose(example["boxes"][0], first, atol=1e-6)
    assert example["classes"][0] == 1 and example["area"][0] == 35970


def test_an_example_has_the_documented_types_and_keeps_crowds(coco):
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


def test_objects_go_to_their_images_in_the_order_of_the_file(coco):
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
    assert source.issues.counts() == {"image without annotations": 1}
    assert source.label(2).endswith("b.png")
    assert [int(e["image_id"]) for e in source.dataset()] == [30, 10, 20]


def test_missing_folders_and_splits_are_named(coco, tmp_path):
    coco()
    (tmp_path / "annotations" / "instances_val.json").write_text("{}")

    with pytest.raises(InputError, match=r"no folder .*nowhere"):
        open_coco(tmp_path / "nowhere", "train")
    with pytest.raises(InputError, match=r"must be one of 'train', 'val', .* annotations/instances_test\.json"):
        open_coco(tmp_path, "test")
    with pytest.raises(InputError, match="must be one of 'train', 'val'"):
        open_coco(tmp_path, "../annotations/train")
    with pytest.raises(InputError, match=r"no folder of images .*val"):
        open_coco(tmp_path, "val")
    with pytest.raises(InputError, match="which has none"):
        open_coco(tmp_path / "train", "train")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ('{"images": [\n{"id": 1, ', r"line 2, column \d+"),
        ("hello", "line 1, column 1"),
        ("[]", "must be a dictionary with images, annotations, categories. Received: a list"),
        (
            '{"images": [], "annotations": []}',
            '"categories" of .* must be a list. Received: nothing',
        ),
        (
            '{"images": {}, "annotations": [], "categories": []}',
            '"images" of .* must be a list. Received: a dict',
        ),
        ('{"images": [], "annotations": [], "categories": [{"id": 1, "name": "a"}]}', "lists no images"),
        ('{"images": [1], "annotations": [], "categories": []}', "categories of .* cannot be used"),
        (
            '{"images": [1], "annotations": [], "categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}',
            "repeats the id 1",
        ),
        ("[" * 100_000, "cannot be parsed as JSON"),
        ("\xff\xfe\xff", "JSON"),
    ],
)
def test_a_file_that_is_no_coco_json_is_named(coco, tmp_path, text, words):
    coco.document.write_text(text, encoding="latin-1")

    with pytest.raises(InputError, match=words) as caught:
        open_coco(tmp_path, "train")

    assert "instances_train.json" in str(caught.value)


def test_polygons_do_not_fill_the_memory(coco):
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


def test_objects_are_known_without_the_image_file(coco, monkeypatch):
    source = coco(annotations=[annotation(1, category_id=5, area=17.5), annotation(2, iscrowd=1)])
    example = source.read(0)

    (coco.folder / "a.png").unlink()
    objects = source.objects(0)

    assert set(objects) == set(example) - {"image"}
    for key, value in objects.items():
        np.testing.assert_array_equal(value, example[key])
    assert source.sizes.tolist() == [[HEIGHT, WIDTH]]


def test_the_layouts_of_objects365_and_roboflow_are_found(coco, tmp_path):
    coco()
    text = coco.document.read_text()

    coco.document.rename(tmp_path / "annotations" / "zhiyuan_objv2_train.json")
    as_objects365 = open_coco(tmp_path, "train")
    (tmp_path / "annotations" / "zhiyuan_objv2_train.json").unlink()
    (tmp_path / "train" / "_annotations.coco.json").write_text(text)
    as_roboflow = open_coco(tmp_path, "train")
    (tmp_path / "images").mkdir()
    coco.folder.rename(tmp_path / "images" / "train")
    (tmp_path / "annotations" / "train.json").write_text(text)
    as_plain_names = open_coco(tmp_path, "train")

    for source in (as_objects365, as_roboflow, as_plain_names):
        assert len(source) == 1 and source.object_counts.tolist() == [1]


def test_objects365_patches_are_found_where_people_unpack_them(coco):
    names = ["images/v1/patch0/a.png", "images/v2/patch1/b.png", "images/v1/patch2/c.png"]
    for place in (names[0], "patch1/b.png", "c.png"):
        (coco.folder / place).parent.mkdir(parents=True, exist_ok=True)
        coco.save(coco.folder / place)

    source = coco(images=[image(i, name) for i, name in enumerate(names, 1)])

    ends = [label.removeprefix(str(coco.folder.resolve())) for label in source.labels]
    assert ends == ["/images/v1/patch0/a.png", "/patch1/b.png", "/c.png"]


def test_a_shortened_name_that_fits_two_records_is_not_used(coco):
    coco.save(coco.folder / "x.png")

    source = coco(images=[image(), image(2, "b/x.png"), image(3, "c/x.png")])

    assert source.image_ids.tolist() == [1]
    assert source.issues.counts() == {"missing image": 2}


def test_an_annotation_file_that_is_a_pipe_or_huge_is_refused_at_once(coco, tmp_path, monkeypatch):
    coco()
    monkeypatch.setattr("pix2seq_keras.data.sources.coco.read._MAX_BYTES", 10)
    with pytest.raises(InputError, match=r"must have at most .* MB"):
        open_coco(tmp_path, "train")

    coco.document.unlink()
    os.mkfifo(coco.document)
    with pytest.raises(InputError, match="must be a regular file"):
        open_coco(tmp_path, "train")


def test_values_nested_too_deep_to_be_shown_are_reported(coco):
    deep = "[" * 900 + "]" * 900
    coco()
    text = coco.document.read_text()

    coco.document.write_text(text.replace('"file_name": "a.png"', f'"file_name": {deep}'))
    with pytest.raises(InputError, match=r"unusable image record|cannot be parsed as JSON"):
        open_coco(coco.folder.parent, "train")

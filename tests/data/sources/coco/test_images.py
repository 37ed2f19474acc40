"""Unusable images are left out and reported; boxes are right on rotated and resized images."""

import numpy as np
import pytest
from PIL import Image

from pix2seq_keras.data.images.read_image import ImageInfo
from pix2seq_keras.data.sources.image_index import choose_frame
from pix2seq_keras.errors import InputError

WIDTH, HEIGHT = 60, 40
BOX = [33, 4, 24, 10]  # x, y, width, height
REL = np.array([4 / 40, 33 / 60, 14 / 40, 57 / 60], np.float32)


def image(identifier=1, file_name="a.png", **more):
    return {"id": identifier, "file_name": file_name, "width": WIDTH, "height": HEIGHT, **more}


def annotation(identifier=1, image_id=1, category_id=1, bbox=BOX, **more):
    return {"id": identifier, "image_id": image_id, "category_id": category_id, "bbox": bbox, **more}


def white_box(pixels):
    """rel_yxyx of the white pixels."""
    rows, columns = np.nonzero(pixels[..., 0] > 128)
    height, width = pixels.shape[:2]
    return np.array(
        [rows.min() / height, columns.min() / width, (rows.max() + 1) / height, (columns.max() + 1) / width]
    )


# For 2, 3 and 4 both frames have the same size, so boxes are assumed to be drawn on the upright image.
@pytest.mark.parametrize(
    ("drawn", "orientation"), [("stored", i) for i in (1, 5, 6, 7, 8)] + [("upright", i) for i in range(1, 9)]
)
def test_boxes_are_right_on_images_rotated_by_exif(coco, drawn, orientation):
    coco.save(coco.folder / "a.png", orientation=orientation)
    if drawn == "stored":
        record, bbox = image(), BOX
    else:
        pixels = coco().read(0)["image"]
        height, width = pixels.shape[:2]
        top, left, bottom, right = white_box(pixels) * [height, width, height, width]
        record = image() | {"width": width, "height": height}
        bbox = [left, top, right - left, bottom - top]

    source = coco(images=[record], annotations=[annotation(bbox=bbox)])
    example = source.read(0)

    np.testing.assert_allclose(example["boxes"][0], white_box(example["image"]), atol=1e-6)
    assert example["area"][0] == pytest.approx(240)
    assert source.issues.counts() == ({} if orientation == 1 else {"rotated by EXIF": 1})
    assert source.issues.counts("problem") == {}


def test_boxes_of_a_resized_image_are_scaled(coco):
    coco.save(coco.folder / "a.png", size=(120, 80), box=[66, 8, 48, 20])

    source = coco(annotations=[annotation(area=240)])
    example = source.read(0)

    np.testing.assert_allclose(example["boxes"][0], white_box(example["image"]))
    assert example["area"][0] == 960  # pixels of the image as read
    assert source.issues.counts() == {"resized image": 1}


def test_boxes_of_an_image_of_another_aspect_ratio_are_pixels_of_the_file(coco):
    source = coco(images=[image(width=500, height=500)])
    example = source.read(0)

    np.testing.assert_allclose(example["boxes"][0], white_box(example["image"]))
    assert source.issues.counts() == {"unexpected image size": 1}


@pytest.mark.parametrize(("size", "count"), [({}, 0), ({"width": "60", "height": 40}, 1), ({"width": float("nan")}, 1)])
def test_an_absent_or_unusable_size_comes_from_the_file(coco, size, count):
    source = coco(images=[{"id": 1, "file_name": "a.png", **size}])

    np.testing.assert_allclose(source.read(0)["boxes"][0], REL)
    assert len(source.issues) == count


def test_the_frame_of_a_resized_and_rotated_image_is_found():
    info = ImageInfo(300, 400, 400, 300, 6, "RGB", "JPEG", False)

    assert choose_frame(info, 800, 600)[:3] == (800, 600, 6)
    assert choose_frame(info, 600, 800)[:3] == (600, 800, 1)
    assert choose_frame(info, 400, 300)[:3] == (400, 300, 6)
    assert choose_frame(info, 300, 400)[:3] == (300, 400, 1)
    assert choose_frame(info, 10**400, 3)[:3] == (300, 400, 1)


def test_unusable_images_are_left_out_and_reported(coco):
    folder = coco.folder
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.jpg").write_text("no image")
    (folder / "sub.jpg").mkdir()
    names = ["gone.jpg", "empty.jpg", "text.jpg", "sub.jpg", "nul\0.png", "", "x" * 300, "\ud800.png"]

    source = coco(
        images=[image(i, name) for i, name in enumerate(names, start=10)] + [image()],
        annotations=[annotation(), annotation(2, image_id=10)],
    )

    assert source.image_ids.tolist() == [1] and source.object_counts.tolist() == [1]
    assert source.issues.counts() == {"missing image": 1, "unreadable image": 7}
    for name, issue in zip(names, source.issues, strict=True):
        assert repr(name)[1:-1][:60] in issue.where and "id 1" in issue.where


def test_names_that_leave_the_folder_are_never_opened(coco, tmp_path, monkeypatch):
    secret = tmp_path / "secret.png"
    coco.save(secret)
    (coco.folder / "link.png").symlink_to(secret)
    (coco.folder / "chain.png").symlink_to("link.png")
    (coco.folder / "out").symlink_to(tmp_path)
    (coco.folder / "dangling.png").symlink_to(tmp_path / "nothing.png")
    names = [
        "../secret.png",
        "sub/../../secret.png",
        str(secret),
        "link.png",
        "chain.png",
        "out/secret.png",
        "dangling.png",
        "..\\secret.png",
        "C:/secret.png",
    ]
    opened = []
    really_open = Image.open
    monkeypatch.setattr(Image, "open", lambda file, *a, **k: opened.append(str(file)) or really_open(file, *a, **k))

    source = coco(images=[image(i, name) for i, name in enumerate(names, start=10)] + [image()])

    assert source.image_ids.tolist() == [1]
    assert source.issues.counts() == {"image outside the folder": len(names)}
    assert opened == [str(coco.folder / "a.png")]


def test_links_inside_the_folder_and_a_linked_folder_are_followed(coco, tmp_path):
    (coco.folder / "link.png").symlink_to("a.png")
    (coco.folder / "deep").mkdir()
    coco.save(coco.folder / "deep" / "d.png")
    coco.folder.rename(tmp_path / "elsewhere")
    coco.folder.symlink_to(tmp_path / "elsewhere")

    source = coco(images=[image(1, "link.png"), image(2, "deep/d.png"), image(3, "./a.png")])

    assert source.image_ids.tolist() == [1, 2, 3] and not source.issues.counts("problem")


@pytest.mark.parametrize(
    "record",
    [
        "a.png", None, 7, [], {}, {"file_name": "a.png"}, image("b"), image(True), image(2.5), image(2**63),
        image(None), image([1]), image(2, None), image(2, 3), image(2, ["a.png"]),
    ],
)  # fmt: skip
def test_only_the_image_record_of_a_wrong_type_is_left_out(coco, record):
    source = coco(images=[record, image()])

    assert source.image_ids.tolist() == [1]
    assert source.issues.counts() == {"unusable image record": 1}
    assert next(iter(source.issues)).where.startswith("images[0]")


def test_of_two_images_with_one_id_the_first_is_kept(coco):
    coco.save(coco.folder / "b.png")

    source = coco(images=[image(1, "a.png"), image(1, "b.png")])

    assert len(source) == 1 and source.label(0).endswith("a.png")
    assert source.issues.counts() == {"duplicate image id": 1}


def test_a_truncated_image_is_found_when_it_is_read(coco):
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    Image.fromarray(noise).save(coco.folder / "half.jpg")
    data = (coco.folder / "half.jpg").read_bytes()
    (coco.folder / "half.jpg").write_bytes(data[: len(data) // 2])

    source = coco(images=[image(2, "half.jpg"), image()], annotations=[annotation(), annotation(2, image_id=2)])

    assert [int(e["image_id"]) for e in source.dataset()] == [1]
    assert source.issues.counts() == {"unreadable image": 1}
    assert "half.jpg" in source.issues.summary()


def test_without_usable_images_opening_fails_with_the_reasons(coco):
    with pytest.raises(InputError, match=r"(?s)None of the 2 images.*missing image: 2"):
        coco(images=[image(1, "x.png"), image(2, "y.png")])

"""The layouts of VOC folders."""

import numpy as np
import pytest

from pix2seq_keras.data import open_source
from pix2seq_keras.errors import InputError

REL = np.array([4 / 40, 33 / 60, 14 / 40, 57 / 60], np.float32)
LAYOUTS = {
    "beside": ("{name}.png", "{name}.xml"),
    "in two folders": ("images/{name}.png", "annotations/{name}.xml"),
    "in VOC's folders": ("JPEGImages/{name}.png", "Annotations/{name}.xml"),
}
SPLIT_LAYOUTS = {
    "a folder for each split": ("{split}/{name}.png", "{split}/{name}.xml"),
    "two folders in each split": ("{split}/images/{name}.png", "{split}/annotations/{name}.xml"),
    "splits in two folders": ("images/{split}/{name}.png", "annotations/{split}/{name}.xml"),
}


def test_the_parent_folder_can_be_named_too(add, tmp_path, save_image, xml, obj):
    add("train", "a", xml(obj()))
    kit = tmp_path.parent / f"{tmp_path.name}-kit"
    (kit / "VOCdevkit").mkdir(parents=True)
    tmp_path.rename(kit / "VOCdevkit" / "VOC2012")

    assert len(open_source(f"voc:{kit}", "train")) == 1
    assert len(open_source(f"voc:{kit}/VOCdevkit", "train")) == 1


def write_files(folder, layout, save, text, names, split="train"):
    for name in names:
        for place, write in zip(layout, (save, lambda path: path.write_text(text)), strict=True):
            path = folder / place.format(name=name, split=split)
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_plain_folders_of_images_and_xml_files_are_split_by_hash(tmp_path, save_image, layout, xml, obj):
    write_files(tmp_path, layout, save_image, xml(obj()), "abcdefghij")

    everything, train = open_source(f"voc:{tmp_path}", "all"), open_source(f"voc:{tmp_path}", "train")

    assert [label[-5] for label in everything.labels] == list("abcdefghij")
    assert (len(train), len(open_source(f"voc:{tmp_path}", "val"))) == (8, 2)
    np.testing.assert_array_equal(everything.read(3)["boxes"], [REL])


@pytest.mark.parametrize("layout", SPLIT_LAYOUTS.values(), ids=SPLIT_LAYOUTS)
def test_splits_may_have_folders_of_their_own(tmp_path, save_image, layout, xml, obj):
    write_files(tmp_path, layout, save_image, xml(obj()), "abc", "train")
    write_files(tmp_path, layout, save_image, xml(obj()), "de", "valid")

    assert len(open_source(f"voc:{tmp_path}", "train")) == 3
    assert len(open_source(f"voc:{tmp_path}", "valid[1:]")) == 1
    assert len(open_source(f"voc:{tmp_path}", "val")) == 2
    with pytest.raises(InputError, match="must be one of 'train', 'valid'"):
        open_source(f"voc:{tmp_path}", "test")


def test_a_folder_without_annotations_is_refused_with_the_known_layouts(tmp_path, save_image):
    save_image(tmp_path / "a.png")

    with pytest.raises(InputError, match=r"no VOC annotations: no XML files beside the images"):
        open_source(f"voc:{tmp_path}", "train")
    with pytest.raises(InputError, match="There is no folder"):
        open_source(f"voc:{tmp_path}/nowhere", "train")

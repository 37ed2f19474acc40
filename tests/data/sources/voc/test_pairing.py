"""Images, XML files and lists whose names are spelled in different ways belong together."""

import unicodedata

import pytest

from pix2seq_keras.data import open_source
from pix2seq_keras.data.issues import Issues
from pix2seq_keras.data.sources.lenient import LenientReader
from pix2seq_keras.data.sources.voc.pairing import pair_spellings, same_spellings

NFC, NFD = unicodedata.normalize("NFC", "décran"), unicodedata.normalize("NFD", "décran")


@pytest.mark.parametrize(("stem", "image"), [(NFC, NFD), (NFD, NFC), ("A b", "a%20b"), ("IMG_1", "img_1")])
@pytest.mark.parametrize("listed", ["xml", "image"])
def test_an_image_spelled_otherwise_than_its_xml_file_is_found(
    add, xml, obj, tmp_path, save_image, stem, image, listed
):
    add("train", stem, xml(obj(), filename="other.png"))
    (tmp_path / "JPEGImages" / f"{stem}.png").rename(tmp_path / "JPEGImages" / f"{image}.png")
    (tmp_path / "ImageSets" / "Main" / "train.txt").write_text(f"{image if listed == 'image' else stem}\n")

    source = open_source(f"voc:{tmp_path}", "train")

    assert source.object_counts.tolist() == [1] and source.label(0).endswith(f"{image}.png")
    assert source.issues.counts() == {"file name read leniently": 1 if listed == "xml" else 2}


@pytest.mark.parametrize("name", ["C:\\photos\\b.jpg", "/home/me/b.jpg", "..\\b.jpg", "B.JPG"])
def test_the_image_that_an_xml_file_names_is_found_by_its_tail(add, xml, obj, tmp_path, name):
    add("train", "a", xml(obj(), filename=name))
    (tmp_path / "JPEGImages" / "a.png").rename(tmp_path / "JPEGImages" / "b.jpg")

    source = open_source(f"voc:{tmp_path}", "train")

    assert source.object_counts.tolist() == [1] and source.issues.counts() == {"file name read leniently": 1}


def test_an_image_outside_is_not_taken(add, xml, obj, tmp_path, save_image):
    add("train", "a", xml(obj(), filename="..\\..\\secret.png"))
    add("train", "b", xml(obj()))
    (tmp_path / "JPEGImages" / "a.png").rename(tmp_path / "secret.png")

    issues = open_source(f"voc:{tmp_path}", "train").issues

    assert issues.counts() == {"image outside the folder": 1}


def test_only_a_single_spelling_is_taken():
    xml_files = {"a": "a.xml", "b": "b.xml", "é": "é.xml"}
    image_files = {"a": ["a.png"], "A": ["A.png"], "B": ["B.png"], "b ": ["b .png"]}
    reader, issues = LenientReader(), Issues()

    pair_spellings(xml_files, image_files, reader)
    names = same_spellings(["a", "A", "c", "É"], ["a", "A", "b", "é"], reader)
    reader.report(issues)

    assert image_files == {"a": ["a.png"], "A": ["A.png"], "B": ["B.png"], "b ": ["b .png"]}
    assert names == ["a", "A", "c", "é"]
    assert [issue.where for issue in issues] == ["names in lists spelled otherwise than the files"]

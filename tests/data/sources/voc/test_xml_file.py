"""The parser of VOC's XML expands no entities and reads no other files."""

import time

import pytest

from pix2seq_keras.data.sources.voc.xml_file import parse_voc
from pix2seq_keras.errors import InputError

LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))


@pytest.mark.parametrize(
    "text",
    [
        f'<!DOCTYPE annotation [<!ENTITY l0 "ha">{LAUGHS}]><annotation><filename>&l9;</filename></annotation>',
        f'<!DOCTYPE a [<!ENTITY x "{"A" * 50_000}">]><annotation><filename>{"&x;" * 1000}</filename></annotation>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation><filename>&x;</filename></annotation>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><annotation><filename>&x;</filename></annotation>',
        "<!DOCTYPE a [<!ELEMENT a ANY>]><annotation/>",
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><annotation/>',
    ],
    ids=["billion laughs", "quadratic blow-up", "external entity", "entity of a DTD", "element", "parameter entity"],
)
def test_document_types_and_entities_are_refused_at_once(text):
    start = time.monotonic()

    with pytest.raises(InputError, match="document type or entities"):
        parse_voc(text.encode(), "a.xml")

    assert time.monotonic() - start < 10  # expanding the first would never end


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "is empty"),
        (b"<annotation>", "is not XML, or is truncated"),
        (b"<html/>", "must begin with <annotation>. Received: <html>"),
        (b"<annotation>" + b"<a>" * 100_000, "more than 64 levels"),
        (b"<annotation>&x;</annotation>", "is not XML"),
        (b'<?xml version="1.0" encoding="klingon"?><annotation/>', "encoding"),
        (b'<?xml version="1.0" encoding="idna"?><annotation/>', "encoding|XML"),
        (b"\xff\xfe\x00", "XML"),
    ],
)
def test_files_that_are_no_annotations_are_named(text, words):
    with pytest.raises(InputError, match=words) as caught:
        parse_voc(text, "a.xml")

    assert "a.xml" in str(caught.value)


def test_other_encodings_are_read():
    text = '<?xml version="1.0" encoding="iso-8859-1"?><annotation><object><name>Käfer</name></object></annotation>'

    assert parse_voc(text.encode("iso-8859-1"), "a.xml").objects[0].name == "Käfer"


def text_of(filename="a.png", name="cat", encoding=None):
    declaration = "" if encoding is None else f'<?xml version="1.0" encoding="{encoding}"?>\n'
    return f"{declaration}<annotation><filename>{filename}</filename><object><name>{name}</name></object></annotation>"


@pytest.mark.parametrize(
    "document_type",
    ["<!DOCTYPE annotation>", '<!DOCTYPE a SYSTEM "a.dtd">', '<!DOCTYPE a PUBLIC "x" "file:///etc/passwd">'],
)
def test_a_document_type_without_declarations_is_skipped_and_nothing_is_read(document_type):
    annotation = parse_voc((document_type + text_of()).encode(), "a.xml")

    assert annotation.objects[0].name == "cat" and annotation.repairs == []


@pytest.mark.parametrize(
    ("declared", "codec", "name"),
    [
        ("GB2312", "gbk", "猫镕"),  # 镕 is in GBK, not in GB2312
        ("gbk", "gbk", "猫"),
        ("GB18030", "gb18030", "猫"),
        ("Shift-JIS", "shift_jis", "猫ソ表"),  # the second bytes of ソ and 表 are backslashes
        ("Shift_JIS", "cp932", "①"),
        ("EUC-JP", "euc_jp", "猫"),
        ("big5", "big5", "貓"),
        ("euc-kr", "euc_kr", "고양이"),
        ("windows-1251", "cp1251", "кот"),
        ("gb2312", "utf-8", "猫"),  # declared wrongly
        ("utf-8", "utf-8", "猫"),
        ("UTF-8", "utf-8-sig", "猫"),
        ("utf-16", "utf-16", "猫"),
    ],
)
def test_east_asian_and_other_encodings_are_decoded(declared, codec, name):
    annotation = parse_voc(text_of(name=name, encoding=declared).encode(codec), "a.xml")

    assert annotation.objects[0].name == name and annotation.repairs == []


def test_bytes_that_cannot_be_decoded_matter_only_in_class_names():
    broken = text_of(filename="照片.jpg").encode("gbk")
    wrong = text_of(filename="猫", encoding="gbk").encode("gbk").replace("猫".encode("gbk"), b"\xff\xff")

    for data in (broken, wrong):
        annotation = parse_voc(data, "a.xml")
        assert annotation.objects[0].name == "cat" and len(annotation.repairs) == 1
    with pytest.raises(InputError, match=r"a.xml has class names that cannot be read: it is not UTF-8 and declares no"):
        parse_voc(text_of(name="照片").encode("gbk"), "a.xml")


@pytest.mark.parametrize("encoding", [None, "gbk", "windows-1252"])
def test_a_bare_ampersand_and_control_characters_are_mended_with_a_note(encoding):
    annotation = parse_voc(text_of("a&b.png", "R&D\x0b &amp; &#65;", encoding).encode(), "a.xml")

    assert annotation.filename == "a&b.png" and annotation.objects[0].name == "R&D & A"
    assert len(annotation.repairs) == 1 and "bare &" in annotation.repairs[0]


def test_mending_makes_no_file_of_entities_or_of_a_truncated_one():
    for text, words in ((text_of("a&b.png")[:-5], "truncated"), (text_of("a & &x;"), "is not XML")):
        with pytest.raises(InputError, match=words):
            parse_voc(text.encode(), "a.xml")

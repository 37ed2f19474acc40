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
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><annotation/>',
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><annotation/>',
    ],
    ids=["billion laughs", "quadratic blow-up", "external entity", "external DTD", "parameter entity"],
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

"""The text of XML files as labelling tools write it: in East Asian encodings, wrongly declared, with a bare `&`.

The parser, expat, knows only UTF-8, UTF-16 and encodings of one byte a character. Other text is decoded here. Only
codecs of this table are used: Python has some that are no encodings of text.
"""

import re

UNREADABLE = "\ufffd"  # stands for bytes that cannot be decoded

# A name without its punctuation -> Python's codec of the widest superset, as writers often use more than they declare.
_CODECS = (
    dict.fromkeys(("gb2312", "gbk", "gb18030", "cp936", "ms936", "windows936", "xgbk", "euccn"), "gb18030")
    | dict.fromkeys(("shiftjis", "sjis", "xsjis", "cp932", "ms932", "windows31j"), "cp932")
    | dict.fromkeys(("big5", "big5hkscs"), "big5hkscs")
    | dict.fromkeys(("cp950", "ms950", "windows950"), "cp950")
    | dict.fromkeys(("euckr", "ksc56011987", "cp949", "ms949", "uhc", "windows949"), "cp949")
    | {"eucjp": "euc_jp", "johab": "johab"}
)
_DECLARATION = re.compile(rb"""\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})["']""")
_UTF8 = (None, "utf8")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_BARE_AMPERSAND = re.compile(rb"&(?!#?\w{1,40};)")  # one that begins no reference
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # no XML file may have these


def decode_xml(data):
    """Decodes a file that the parser could not decode itself.

    Args:
        data: bytes, of the file.

    Returns:
        `(data, encoding, note)`: the bytes for the parser, UTF-8 if they were decoded here; the encoding that the
        parser must use, or None for the one that it finds; and what was done that may lose text, or None. Bytes that
        cannot be decoded become `UNREADABLE`.

    Example:
        >>> decode_xml('<?xml version="1.0" encoding="GBK"?><a>猫</a>'.encode("gbk"))[0].decode()[-9:]
        '<a>猫</a>'
    """
    declared = _declared_encoding(data)
    codec = _CODECS.get(declared)
    if codec is not None:
        for encoding in (codec, "utf-8-sig"):  # some tools declare GB2312 and write UTF-8
            try:
                return data.decode(encoding).encode(), "utf-8", None
            except UnicodeDecodeError:
                continue
        return data.decode(codec, "replace").encode(), "utf-8", f"it has bytes that are no text in {declared}"
    if declared in _UTF8 and not data.startswith(_UTF16_MARKS):
        try:
            data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("utf-8-sig", "replace")
            return text.encode(), "utf-8", "it is not UTF-8 and declares no other encoding"
    return data, None, None


def repair_xml(data):
    """Makes text of a bare `&`, and drops control characters.

    Args:
        data: bytes, of a file that the parser refuses, in an encoding that contains ASCII.

    Returns:
        bytes, those given if there is nothing to repair.

    Example:
        >>> repair_xml(b"<a>R&D &amp; more</a>")
        b'<a>R&amp;D &amp; more</a>'
    """
    if data.startswith(_UTF16_MARKS):
        return data
    return _BARE_AMPERSAND.sub(b"&amp;", _CONTROL.sub(b"", data))


def _declared_encoding(data):
    match = _DECLARATION.match(data.removeprefix(b"\xef\xbb\xbf"))
    return None if match is None else re.sub("[^a-z0-9]", "", match[1].decode("ascii").lower())

"""Parsing of Pascal VOC's XML files; entities are refused, and nothing that a document type names is read."""

from dataclasses import dataclass, field
from xml.parsers import expat

from pix2seq_keras.data.sources.lenient import parse_boolean
from pix2seq_keras.data.sources.parse_number import parse_number
from pix2seq_keras.data.sources.short_repr import short_repr
from pix2seq_keras.data.sources.voc.xml_text import UNREADABLE, decode_xml, repair_xml
from pix2seq_keras.errors import InputError

_MAX_DEPTH = 64  # of nested elements; VOC needs six
_MAX_TEXT_LENGTH = 1000
_OBJECT = ("annotation", "object")
_EDGES = ("xmin", "ymin", "xmax", "ymax")
_FIELDS = {(*_OBJECT, "name"): "name", (*_OBJECT, "difficult"): "difficult"} | {
    (*_OBJECT, "bndbox", edge): edge for edge in _EDGES
}


@dataclass
class VocObject:
    """An `<object>`, unchecked.

    Args:
        texts: dict of str, the texts of the elements "name", "difficult", "xmin", "ymin", "xmax" and "ymax" that the
            object has.
    """

    texts: dict[str, str] = field(default_factory=dict)

    @property
    def name(self):
        """The name of the class: str or None."""
        return self.texts.get("name")

    @property
    def edges(self):
        """The texts of `xmin`, `ymin`, `xmax`, `ymax`: list of str or None."""
        return [self.texts.get(edge) for edge in _EDGES]

    @property
    def difficult(self):
        """The text of `<difficult>`: str, "0" if there is none."""
        return self.texts.get("difficult", "0")


@dataclass
class VocAnnotation:
    """The content of an annotation file, unchecked.

    Args:
        filename: str or None, the text of `<filename>`.
        width: str or None, the text of `<size><width>`.
        height: str or None, the text of `<size><height>`.
        objects: list of `VocObject`, in the order of the file.
        repairs: list of str, what was wrong with the file and could be mended.
    """

    filename: str | None = None
    width: str | None = None
    height: str | None = None
    objects: list[VocObject] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)


def parse_voc(data, name):
    """Parses an annotation file.

    Args:
        data: bytes, of the file.
        name: str, its name in messages.

    Returns:
        `VocAnnotation`. Other elements (parts, poses, polygons) are ignored.

    Raises:
        InputError: if it is not XML, declares or uses entities (which can expand without limit or read other files),
            has class names that cannot be decoded, is nested too deep, or is not a VOC annotation.

    Example:
        >>> parse_voc(b"<annotation><object><name>cat</name></object></annotation>", "a.xml").objects[0].name
        'cat'
    """
    if not data.strip():
        raise InputError(f"{name} is empty.")
    data, encoding, note = decode_xml(data)
    repairs = [] if note is None else [f"{note}; other text is not affected"]
    try:
        annotation = _parse(data, encoding, name)
    except expat.ExpatError as error:
        repaired = repair_xml(data)
        try:
            if repaired == data:
                raise error
            annotation = _parse(repaired, encoding, name)
        except expat.ExpatError:
            raise InputError(f"{name} is not XML, or is truncated: {error}.") from error
        repairs.append(f"it is not XML ({error}), because of a bare & or control characters, which were mended")
    if note is not None and any(UNREADABLE in (voc_object.name or "") for voc_object in annotation.objects):
        raise InputError(f"{name} has class names that cannot be read: {note}. Save it as UTF-8.")
    annotation.repairs = repairs
    return annotation


def _parse(data, encoding, name):
    annotation = VocAnnotation()
    path = []
    texts = []

    def start(tag, _):
        path.append(tag)
        texts.clear()
        if len(path) > _MAX_DEPTH:
            raise InputError(f"{name} has more than {_MAX_DEPTH} levels of nested elements.")
        if len(path) == 1 and tag != "annotation":
            raise InputError(f"A VOC annotation must begin with <annotation>. Received: <{tag[:40]}> in {name}")
        if tuple(path) == _OBJECT:
            annotation.objects.append(VocObject())

    def end(_):
        place, text = tuple(path), "".join(texts).strip()[:_MAX_TEXT_LENGTH]
        path.pop()
        texts.clear()
        if place in _FIELDS:
            annotation.objects[-1].texts.setdefault(_FIELDS[place], text)
        elif place == ("annotation", "filename"):
            annotation.filename = text
        elif place[:2] == ("annotation", "size") and place[2:] in (("width",), ("height",)):
            setattr(annotation, place[2], text)

    def refuse(*_):
        raise InputError(f"{name} has declarations in its document type or entities, which are not allowed.")

    def document_type(_, system_id, public_id, has_declarations):
        if has_declarations:
            refuse()

    parser = expat.ParserCreate(encoding)
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = texts.append
    # Expat reads no other file: a document type outside of this one is skipped, and with it all its entities.
    parser.StartDoctypeDeclHandler = document_type
    parser.EntityDeclHandler = parser.SkippedEntityHandler = refuse
    try:
        parser.Parse(data, True)
    except (InputError, expat.ExpatError):
        raise
    except (LookupError, ValueError) as error:  # an unknown encoding, or one that is not for text
        raise InputError(f"{name} has an unknown encoding ({error}).") from error
    return annotation


def check_object(voc_object):
    """Checks an object.

    Args:
        voc_object: `VocObject`.

    Returns:
        `(kind of issue, reason)` if it cannot be used, or None.
    """
    if not voc_object.name:
        return "unusable annotation record", "it has no <name>"
    if parse_boolean(voc_object.difficult) is None:
        return "unusable annotation record", f"<difficult> is {short_repr(voc_object.difficult, 40)}, neither 0 nor 1"
    numbers = [parse_number(edge) for edge in voc_object.edges]
    if None in numbers:
        texts = zip(_EDGES, voc_object.edges, strict=True)
        received = ", ".join(f"{tag} {short_repr(text, 40)}" for tag, text in texts)
        return "unusable box", f"its <bndbox> must have four numbers, it has {received}"
    return None

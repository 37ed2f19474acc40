"""One annotation file of Pascal VOC: what it says, read by a parser that knows neither DTDs nor entities."""

from dataclasses import dataclass, field
from xml.parsers import expat

from pix2seq_keras.data.sources.numbers_in_text import number
from pix2seq_keras.data.sources.showing import shown
from pix2seq_keras.errors import InputError

_DEEPEST = 64  # elements in elements; VOC's people with parts have six
_LONGEST_TEXT = 1000
_OBJECT = ("annotation", "object")
_EDGES = ("xmin", "ymin", "xmax", "ymax")
_FIELDS = {(*_OBJECT, "name"): "name", (*_OBJECT, "difficult"): "difficult"} | {
    (*_OBJECT, "bndbox", edge): edge for edge in _EDGES
}


@dataclass
class VocObject:
    """An `<object>`: the texts as they stand in the file, None where there is none.

    Args:
        texts: by "name", "difficult", "xmin", "ymin", "xmax" and "ymax".
    """

    texts: dict[str, str] = field(default_factory=dict)

    @property
    def name(self):
        """The class's name."""
        return self.texts.get("name")

    @property
    def edges(self):
        """`xmin`, `ymin`, `xmax`, `ymax`."""
        return [self.texts.get(edge) for edge in _EDGES]

    @property
    def difficult(self):
        """The text of `<difficult>`, "0" where there is none."""
        return self.texts.get("difficult", "0")


@dataclass
class VocAnnotation:
    """What a file says.

    Args:
        filename: text of `<filename>`, or None.
        width: text of `<size><width>`, or None.
        height: likewise.
        objects: the objects, in the order of the file.
    """

    filename: str | None = None
    width: str | None = None
    height: str | None = None
    objects: list[VocObject] = field(default_factory=list)


def parse_voc(data, name):
    """Reads an annotation file.

    Args:
        data: bytes, the file's bytes.
        name: str, what messages call it.

    Returns:
        A `VocAnnotation`. Elements it does not name (parts, poses, polygons) are passed over.

    Raises:
        InputError: if it is no XML, has a document type or an entity (which can be made to grow without end, or to
            read other files), is nested too deep, or is no VOC annotation.

    Example:
        >>> parse_voc(b"<annotation><object><name>cat</name></object></annotation>", "a.xml").objects[0].name
        'cat'
    """
    annotation = VocAnnotation()
    path: list[str] = []
    texts: list[str] = []

    def start(tag, _):
        path.append(tag)
        texts.clear()
        if len(path) > _DEEPEST:
            raise InputError(f"{name} is nested more than {_DEEPEST} elements deep.")
        if len(path) == 1 and tag != "annotation":
            raise InputError(f"{name} is no VOC annotation: it holds <{tag[:40]}>, where <annotation> was expected.")
        if tuple(path) == _OBJECT:
            annotation.objects.append(VocObject())

    def end(_):
        place, text = tuple(path), "".join(texts).strip()[:_LONGEST_TEXT]
        path.pop()
        texts.clear()
        if place in _FIELDS:
            annotation.objects[-1].texts.setdefault(_FIELDS[place], text)
        elif place == ("annotation", "filename"):
            annotation.filename = text
        elif place[:2] == ("annotation", "size") and place[2:] in (("width",), ("height",)):
            setattr(annotation, place[2], text)

    def refuse(*_):
        raise InputError(f"{name} declares a document type or entities, which annotation files have no use for.")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = texts.append
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        what = "is empty" if not data.strip() else f"is not XML, or is cut short: {error}"
        raise InputError(f"{name} {what}.") from error
    except InputError:
        raise
    except (LookupError, ValueError) as error:  # an encoding that Python does not know, or that is not for text
        raise InputError(f"{name} is XML in an encoding that cannot be read ({error}).") from error
    return annotation


def object_faults(found):
    """What makes an object unusable, as `(kind of issue, reason)`, or None.

    Args:
        found: `VocObject`, the object.
    """
    if not found.name:
        return "unusable annotation record", "it has no <name>"
    if found.difficult not in ("0", "1"):
        return "unusable annotation record", f"<difficult> is {shown(found.difficult, 40)}, neither 0 nor 1"
    numbers = [number(edge) for edge in found.edges]
    if None in numbers:
        received = ", ".join(f"{tag} {shown(edge, 40)}" for tag, edge in zip(_EDGES, found.edges, strict=True))
        return "unusable box", f"its <bndbox> must have four numbers, it has {received}"
    return None

"""Fonts for labels: DejaVu Sans, or another installed font for scripts that it lacks."""

import functools
import importlib.util
from pathlib import Path

from PIL import ImageFont

from pix2seq_keras.terminal import one_line

_BESIDE = "0123456789. "  # what stands beside it: a score


@functools.cache
def label_font(pixels, mono=False):
    """Loads DejaVu Sans, which comes with Matplotlib and has more alphabets than Pillow's own font.

    Args:
        pixels: int, the size of the font.
        mono: bool, whether all characters are equally wide. Defaults to `False`.

    Returns:
        `PIL.ImageFont.FreeTypeFont`.
    """
    return ImageFont.truetype(_dejavu(mono), pixels)


def class_label(name, index, max_length=40, mono=False):
    r"""Makes the text that names a class on an image: one short line that a font can draw.

    Args:
        name: str, its name, which may hold anything; "" if it has none.
        index: int ≥ 0, the class.
        max_length: int, longer names are cut to this number of characters. Defaults to 40.
        mono: bool, whether it is drawn in `label_font(…, mono=True)`. Defaults to `False`: in `font_for` the text.

    Returns:
        str, the name; "class 7" for class 7 without a name, or with one that no font can draw.

    Example:
        >>> class_label("red\n blood cell", 0)
        'red blood cell'
    """
    name = one_line(name, max_length)
    can_draw = _covers(_dejavu(mono=True), name) if mono else font_file(name + _BESIDE) is not None
    return name if name and can_draw else f"class {index}"


def font_for(text, pixels):
    """Loads a font for a text: DejaVu Sans, or an installed font that has all its characters.

    Args:
        text: str.
        pixels: int, the size of the font.

    Returns:
        `PIL.ImageFont.FreeTypeFont`; DejaVu Sans where no font has them.
    """
    path = font_file(text)
    return _truetype(path, pixels) if path is not None else label_font(pixels)


def drawable(text):
    r"""Escapes the characters of a text, unless a font has all of them.

    Args:
        text: str.

    Returns:
        str, for `font_for`; characters that DejaVu Sans lacks are escapes such as `\u732b`.
    """
    if font_file(text) is not None:
        return text
    known = _code_points(_dejavu())
    return "".join(c if ord(c) in known else c.encode("unicode_escape").decode("ascii") for c in text)


def font_file(text):
    """Finds a font that has all characters of a text.

    Args:
        text: str.

    Returns:
        `pathlib.Path` of DejaVu Sans or an installed font; `None` if no font has them.
    """
    if _covers(_dejavu(), text):
        return _dejavu()
    # Names in one script share the answer, so the many names of a data set are few searches.
    return _installed_font(frozenset(text))


def matplotlib_families(text):
    """Finds the fonts with which Matplotlib can draw a text.

    Args:
        text: str, such as a `class_label`.

    Returns:
        List of str, names of fonts; a character is drawn in the first one that has it.
    """
    path = font_file(text)
    if path is None or path == _dejavu():
        return ["DejaVu Sans"]
    from matplotlib.font_manager import FontProperties, fontManager

    fontManager.addfont(path)
    return ["DejaVu Sans", FontProperties(fname=path).get_name()]


@functools.lru_cache(maxsize=4096)
def _installed_font(characters):
    return next((path for path in _installed_fonts() if _covers(path, characters)), None)


@functools.cache
def _installed_fonts():
    """All fonts of the system that Pillow can draw in any size, by name: the choice is the same in every run."""
    try:
        from matplotlib.font_manager import findSystemFonts

        paths = sorted(map(Path, findSystemFonts()), key=lambda path: (path.name, path))
    except OSError:  # Matplotlib needs a folder that it can write to
        return []
    return [path for path in paths if len(_code_points(path))]


def _covers(path, characters):
    return {ord(character) for character in characters} <= _code_points(path)


@functools.cache
def _code_points(path):
    """The characters that a font has, a frozenset of int; empty if it cannot be used."""
    from fontTools.ttLib import TTFont

    try:
        ImageFont.truetype(path, 12)  # fonts of coloured bitmaps have one size
        with TTFont(path, lazy=True, fontNumber=0) as font:
            return frozenset(font.getBestCmap() or ())
    # Damaged fonts raise many kinds of errors.
    except Exception:
        return frozenset()


@functools.lru_cache(maxsize=64)
def _truetype(path, pixels):
    return ImageFont.truetype(path, pixels)


@functools.cache
def _dejavu(mono=False):
    """The font's file. Matplotlib is not imported: it needs a folder that it can write to."""
    (package,) = importlib.util.find_spec("matplotlib").submodule_search_locations
    return Path(package) / "mpl-data" / "fonts" / "ttf" / f"DejaVuSans{'Mono' if mono else ''}.ttf"

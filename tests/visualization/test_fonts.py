"""Labels in any script: another font where DejaVu Sans lacks a character, else the number of the class."""

import os
import string
import subprocess
import sys

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image, ImageDraw

from pix2seq_keras.visualization import draw_detections, fonts, save_gallery


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """Pretends that the installed fonts are one of 猫, Latin letters and digits, and a damaged one; or none of them."""

    def install(*characters):
        paths = []
        if characters:
            (tmp_path / "a_damaged.ttf").write_bytes(b"\0\1\0\0" + bytes(60))
            paths = [tmp_path / "a_damaged.ttf", write_font(tmp_path / "cat.ttf", characters)]
        monkeypatch.setattr(fonts, "_installed_fonts", lambda: paths)
        fonts._installed_font.cache_clear()
        return paths[-1] if paths else None

    yield install
    fonts._installed_font.cache_clear()


def write_font(path, characters):
    """Writes a font in which every character is a black square."""
    pen = TTGlyphPen(None)
    for place, point in enumerate([(50, 0), (50, 700), (750, 700), (750, 0)]):
        (pen.lineTo if place else pen.moveTo)(point)
    pen.closePath()
    square, names = pen.glyph(), [".notdef", "square"]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(character): "square" for character in characters})
    builder.setupGlyf(dict.fromkeys(names, square))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (800, 50)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Cat", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)
    return path


LATIN = string.ascii_letters + string.digits + ". "


def test_a_name_in_a_known_script_is_drawn_in_dejavu(installed):
    installed("猫", *LATIN)
    for name in ("cell", "клетка", "κύτταρο"):
        assert fonts.class_label(name, 3) == name
        assert fonts.font_file(name).name == "DejaVuSans.ttf"


def test_a_name_in_another_script_is_drawn_in_an_installed_font(installed):
    font = installed("猫", *LATIN)

    assert fonts.class_label("猫 cat", 3) == "猫 cat"
    assert fonts.font_file("猫 0.97") == font
    assert fonts.matplotlib_families("猫") == ["DejaVu Sans", "Cat"]
    drawn = draw_detections(np.full((400, 400, 3), 128, np.uint8), [[0.5, 0.5, 0.9, 0.9]], [0], [0.9], ["猫"])
    assert (drawn == 0).all(-1).sum() > 300  # black squares, not DejaVu's empty boxes


@pytest.mark.parametrize("characters", ["", "猫"])
def test_without_such_a_font_the_number_of_the_class_is_drawn(installed, characters):
    installed(*characters)  # one with 猫 alone could not draw the score beside it

    assert fonts.class_label("猫", 3) == "class 3"
    image = np.full((400, 400, 3), 128, np.uint8)
    expected = draw_detections(image, [[0.5, 0.5, 0.9, 0.9]], [0], [0.9], ["class 0"])
    np.testing.assert_array_equal(draw_detections(image, [[0.5, 0.5, 0.9, 0.9]], [0], [0.9], ["猫"]), expected)
    assert fonts.matplotlib_families("class 3") == ["DejaVu Sans"]


def test_captions_without_such_a_font_have_escapes(installed, tmp_path):
    installed()
    assert fonts.drawable("猫é.jpg") == "\\u732bé.jpg"
    assert fonts.drawable("café") == "café"
    image = np.zeros((99, 200, 3), np.uint8)

    save_gallery(tmp_path / "one.png", [(image, "猫.jpg")], title="猫")
    save_gallery(tmp_path / "other.png", [(image, "\\u732b.jpg")], title="\\u732b")

    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("red\n blood\tcell", "red blood cell"),
        ("x" * 2_000_000, "x" * 39 + "…"),
        ("\x1b[2J\udcff", "\\x1b[2J\\udcff"),
        ("", "class 3"),
        (" \n", "class 3"),
    ],
)
def test_a_name_is_one_short_line(name, label):
    assert fonts.class_label(name, 3) == label
    assert fonts.class_label(name, 3, mono=True) == label
    draw = ImageDraw.Draw(Image.new("RGB", (9, 9)))
    assert draw.textlength(fonts.class_label(name, 3), font=fonts.label_font(12)) > 0


def test_labels_need_no_folder_for_matplotlib():
    statements = (
        "import sys\n"
        "from pix2seq_keras.visualization import fonts\n"
        "assert fonts.label_font(12).size == 12 and fonts.class_label('cell', 0) == 'cell'\n"
        "assert 'matplotlib' not in sys.modules\n"  # its import needs a folder that it can write to
    )
    command = [sys.executable, "-c", statements]
    run = subprocess.run(command, env=os.environ.copy(), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr

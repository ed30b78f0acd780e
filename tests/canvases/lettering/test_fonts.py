"""Letters: every Ethiopic one has a shape, Latin is as wide as Arial, and no font of the machine is looked at."""

import io
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from tests.waiting import TIMEOUT
from worker.canvases.board import DrawnPage
from worker.canvases.drawing.raster import write_png
from worker.canvases.engine import skia
from worker.canvases.lettering.fonts import FAMILIES, _face
from worker.canvases.lettering.glyphs import runs, without_glyph
from worker.canvases.lettering.text import draw_text, width_of
from worker.canvases.shapes import BLACK, Text
from worker.canvases.stored.pages import read_page

pytestmark = pytest.mark.drawing

# Ethiopic, its supplement, extended and extended-A (Unicode 16, Blocks.txt).
BLOCKS = [(0x1200, 0x137F), (0x1380, 0x139F), (0x2D80, 0x2DDF), (0xAB00, 0xAB2F)]
ETHIOPIC = [
    chr(point) for first, last in BLOCKS for point in range(first, last + 1) if unicodedata.category(chr(point)) != "Cn"
]

# Advance widths of Arial in 1/2048 em, from the widths that Adobe's Helvetica metrics share with it (1/1000 em).
ARIAL = {" ": 569, "!": 569, "%": 1821, "(": 682, "+": 1196, "=": 1196, "0": 1139, "@": 2079}
ARIAL |= {"A": 1366, "B": 1366, "C": 1479, "G": 1593, "I": 569, "M": 1706, "W": 1933, "é": 1139}
ARIAL |= {"a": 1139, "f": 569, "i": 455, "l": 455, "m": 1706, "r": 682, "s": 1024, "t": 569, "w": 1479, "x": 1024}
ARIAL_BOLD = {"A": 1479, "a": 1139, "b": 1251, "i": 569, "l": 569, "m": 1821, "W": 1933, "0": 1139, ":": 682, " ": 569}


def _page(text: str, *, size: float = 30) -> DrawnPage:
    data = {"text": text, "x": 20, "y": 60, "fontSize": size}
    return read_page({"strokes": [{"stroke_type": "text", "stroke_data": data}]})


def _png(text: str, *, size: float = 30) -> bytes:
    out = io.BytesIO()
    write_png(_page(text, size=size), out)
    return out.getvalue()


def test_every_ethiopic_letter_has_a_glyph_in_regular_and_bold() -> None:
    assert len(ETHIOPIC) > 490
    for weight in (400, 700):
        face = _face(FAMILIES["Noto Sans Ethiopic"], weight)
        assert [letter for letter in ETHIOPIC if not face.unicharToGlyph(ord(letter))] == []


def test_ethiopic_letters_are_drawn_and_differ_from_one_another_and_from_a_box() -> None:
    pictures = {}
    for letter in ETHIOPIC[:: len(ETHIOPIC) // 60]:
        surface = skia.Surface(60, 60)
        canvas = surface.getCanvas()
        canvas.clear(skia.ColorWHITE)
        draw_text(canvas, Text((letter,), 10, 40, 30, BLACK), skia.Paint(AntiAlias=True))
        pictures[letter] = surface.toarray().tobytes()
    assert len(set(pictures.values())) == len(pictures)


@pytest.mark.parametrize("letter", ["\U0010ffff", "\ue000", "\ufffe", "\u0378", "𓀀"])
def test_what_no_face_has_leaves_no_box(letter: str) -> None:
    assert list(runs(f"a{letter}b")) == [("Arimo", "a"), ("Arimo", "b")]
    assert without_glyph(f"a{letter}b{letter}") == [letter]
    assert _png(f"a{letter}b") == _png("ab")


def test_latin_has_the_widths_of_arial() -> None:
    for bold, widths in ((False, ARIAL), (True, ARIAL_BOLD)):
        for letter, width in widths.items():
            text = Text((letter,), 0, 0, 2048 / 4, BLACK, bold=bold)
            assert width_of(letter, text) * 4 == pytest.approx(width, abs=1), (letter, bold)


DRAW = """
import io, sys
from worker.canvases.stored.pages import read_page
from worker.canvases.drawing.raster import write_png
data = {"text": "Lesson ምሳሌ አንድ", "x": 20, "y": 60, "fontSize": 30}
write_png(read_page({"strokes": [{"stroke_type": "text", "stroke_data": data}]}), sys.stdout.buffer)
"""


def test_text_is_the_same_on_a_machine_without_fonts(tmp_path: Path) -> None:
    bare = {"FONTCONFIG_FILE": "/dev/null", "FONTCONFIG_PATH": str(tmp_path), "HOME": str(tmp_path), "LC_ALL": "C"}
    run = subprocess.run([sys.executable, "-c", DRAW], capture_output=True, check=True, timeout=TIMEOUT, env=bare)
    assert run.stdout == _png("Lesson ምሳሌ አንድ")
    image = skia.Image.MakeFromEncoded(skia.Data.MakeWithCopy(run.stdout))
    ink = np.argwhere(image.toarray()[:, :, 0] < 128)
    assert ink[:, 1].max() > 200

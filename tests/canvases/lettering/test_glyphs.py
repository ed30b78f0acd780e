"""Every character of docs/board-characters.md is drawn with a shape of a face's own, and none is lost in silence."""

import re
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.canvases.board import DrawnPage
from worker.canvases.engine import skia
from worker.canvases.lettering.bounds import ink_of
from worker.canvases.lettering.fonts import FAMILIES, has_glyph
from worker.canvases.lettering.glyphs import clusters, is_invisible, runs, without_glyph
from worker.canvases.lettering.text import draw_text
from worker.canvases.shapes import BLACK, Text
from worker.canvases.stored.pages import read_page

pytestmark = pytest.mark.drawing

TABLE = Path(__file__).parents[3] / "docs" / "board-characters.md"
_RANGE = re.compile(r"([0-9A-F]{4,5})(?:–([0-9A-F]{4,5}))?")


def _listed() -> dict[str, tuple[list[str], list[str]]]:
    """Of each row the characters that are drawn, and those that are not."""
    rows = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if len(cells) == 3 and _RANGE.match(cells[1]):
            listed, missing = _characters(cells[1]), _characters(cells[2])
            rows[cells[0]] = ([letter for letter in listed if letter not in set(missing)], missing)
    return rows


def _characters(cell: str) -> list[str]:
    return [
        chr(point)
        for first, last in _RANGE.findall(cell)
        for point in range(int(first, 16), int(last or first, 16) + 1)
        if unicodedata.category(chr(point)) not in {"Cn", "Cc", "Co", "Cs"}
    ]


LISTED = _listed()


def test_the_list_is_read() -> None:
    assert len(LISTED) == 20
    assert sum(len(drawn) for drawn, _missing in LISTED.values()) > 49_000
    school = "∠≅∈∪⇒⊥∥△∫∑√∛αΩ²₃½ℝℕ°℃⇌⟶€₦ሀ።፡፩፼ٱЖ漢한あ🇪😀ë"
    drawn = {letter for letters, _missing in LISTED.values() for letter in letters}
    assert set(school) <= drawn


@pytest.mark.parametrize("row", LISTED)
def test_every_listed_character_has_a_glyph_in_the_face_that_writes_it(row: str) -> None:
    drawn, missing = LISTED[row]
    for letter in drawn:
        if is_invisible(letter):
            continue
        assert [(family, written) for family, written in runs(letter) if has_glyph(family, letter)], hex(ord(letter))
    assert without_glyph("".join(drawn)) == []
    assert without_glyph("".join(missing)) == missing


# What a face has an empty shape for: spaces, the fillers of shorthand, and two letters of Hangul's alphabet.
_BLANK = {"Zs", "Zl", "Zp", "Cf"}
_FIELD = 96


def _ink(text: str) -> int:
    surface = skia.Surface(_FIELD * 4, _FIELD * 2)
    canvas = surface.getCanvas()
    canvas.clear(skia.ColorWHITE)
    draw_text(canvas, Text((text,), _FIELD, _FIELD, 24, BLACK), skia.Paint(AntiAlias=True))
    return int((surface.toarray()[:, :, 0] < 200).sum())


@pytest.mark.parametrize("row", [row for row in LISTED if not row.startswith("Chinese")])
def test_every_listed_sign_leaves_ink(row: str) -> None:
    blank = [
        hex(ord(letter))
        for letter in LISTED[row][0]
        if not is_invisible(letter) and unicodedata.category(letter) not in _BLANK and not _ink(letter)
    ]
    # Braille's cell without dots is blank by its name.
    assert set(blank) <= {"0x2800"}


@pytest.mark.parametrize("sign", ["\U0010ffff", "\ue000", "\u0378", "𓀀", "鿰"])
def test_a_character_that_no_face_has_is_named_and_the_rest_is_drawn(sign: str) -> None:
    page = _page(f"x {sign}∈ A")
    assert len(page.drawn) == 1
    assert [skipped.reason for skipped in page.skipped] == [f"no typeface has U+{ord(sign):04X}"]
    alone = _page(sign)
    assert not alone.drawn
    assert f"U+{ord(sign):04X}" in alone.skipped[0].reason


def test_many_are_counted() -> None:
    (skipped,) = _page("a" + "".join(map(chr, range(0x13000, 0x13014)))).skipped
    assert skipped.reason.endswith("U+13007 and 12 more")


def test_half_a_character_is_named() -> None:
    assert [skipped.reason for skipped in _page("a\ud83d").skipped] == ["its text has halves of characters"]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("v⃗ = x̄", ["v⃗", " ", "=", " ", "x̄"]),
        ("👩\u200d🏫👍🏽", ["👩\u200d🏫", "👍🏽"]),
        ("1\ufe0f\u20e3❤\ufe0f", ["1\ufe0f\u20e3", "❤\ufe0f"]),
        ("ሀ\u135d", ["ሀ\u135d"]),
        ("\u0301a", ["\u0301", "a"]),
    ],
)
def test_a_letter_stays_with_its_marks(text: str, pieces: list[str]) -> None:
    assert list(clusters(text)) == pieces


@pytest.mark.parametrize(
    ("cluster", "family"),
    [
        ("v⃗", "DejaVu Sans"),
        ("x̄", "Arimo"),
        ("👩\u200d🏫", "Noto Emoji"),
        ("1\ufe0f\u20e3", "Noto Emoji"),
        ("❤\ufe0f", "Noto Emoji"),
        ("ሀ\u135d", "Noto Sans Ethiopic"),
    ],
)
def test_one_face_writes_a_letter_and_its_marks(cluster: str, family: str) -> None:
    assert list(runs(cluster)) == [(family, cluster)]


def test_marks_that_no_face_of_the_letter_has_are_drawn_with_another() -> None:
    assert list(runs("ሀ\u20d7")) == [("Noto Sans Ethiopic", "ሀ"), ("DejaVu Sans", "\u20d7")]
    assert _ink("ሀ\u20d7") > _ink("ሀ")


@settings(max_examples=400, deadline=None)
@given(st.text(st.characters(exclude_categories=()), max_size=30))
def test_every_character_is_drawn_invisible_or_named(text: str) -> None:
    page = _page("x" + text)
    named = " ".join(skipped.reason for skipped in page.skipped)
    missing = without_glyph(re.sub(r"[\ud800-\udfff]", "", text))
    (shape,) = page.shapes
    shown_text = "".join(shape.lines)  # type: ignore[union-attr]
    written = {letter for family, letters in runs(shown_text) for letter in letters}
    for letter in set(text) - written:
        if "\ud800" <= letter <= "\udfff":
            assert "halves of characters" in named
        elif unicodedata.category(letter) in {"Cc", "Zl", "Zp"} or is_invisible(letter):
            continue
        else:
            assert letter in missing
            assert f"U+{ord(letter):04X}" in named or " more" in named


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(max_codepoint=0x1FFFF, exclude_categories=["Cs"]), min_size=1, max_size=12))
def test_no_ink_is_outside_of_its_box(text: str) -> None:
    """A film redraws only what is within the box of a text."""
    page = _page(text, x=400, y=400)
    for shape in page.shapes:
        assert isinstance(shape, Text)
        left, top, right, bottom = ink_of(shape)
        surface = skia.Surface(1600, 800)
        canvas = surface.getCanvas()
        canvas.clear(skia.ColorWHITE)
        draw_text(canvas, shape, skia.Paint(AntiAlias=True))
        rows, columns = np.nonzero(surface.toarray()[:, :, 0] < 200)
        if len(rows):
            assert left - 1 <= columns.min()
            assert columns.max() <= right + 1
            assert top - 1 <= rows.min()
            assert rows.max() <= bottom + 1


def test_every_family_is_installed() -> None:
    assert all(has_glyph(family, letter) for family, letter in zip(FAMILIES, "AሀA☿اאअ∠∮😀Աঅა", strict=False))
    assert has_glyph("Noto Sans CJK SC", "漢")


def _page(text: str, x: float = 20, y: float = 60) -> DrawnPage:
    data = {"text": text, "x": x, "y": y, "fontSize": 24}
    return read_page({"strokes": [{"stroke_type": "text", "stroke_data": data, "stroke_order": 1}]})

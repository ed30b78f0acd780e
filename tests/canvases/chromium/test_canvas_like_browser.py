"""The same strokes look the same here and on a <canvas> in a browser.

A page is mostly paper, and paper is like any other paper. So likeness is measured where there is ink (its bounding box
and a little around it), which is harder than what is asked for of whole pages; and the last test shows that small
mistakes in a drawing are seen.
"""

import base64
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.canvases.chromium.conftest import BoardBrowser

pytestmark = pytest.mark.drawing

Stroke = dict[str, Any]
Likeness = Callable[..., tuple[float, float]]


def _stroke(stroke_type: str, **data: Any) -> Stroke:
    return {"stroke_type": stroke_type, "stroke_data": data}


def _text(text: str, *, x: float = 40, y: float = 120, size: float = 18, color: str = "", **formatting: bool) -> Stroke:
    data: dict[str, Any] = {"text": text, "x": x, "y": y, "fontSize": size, "fontFamily": "Arial"}
    return _stroke("text", **data, color=color or INK, formatting=formatting)


INK = "#0f172a"
GESTURE = [[12.5, 30.25], [60.5, 74.25], [127.5, 41.25], [200, 180.3], [90.1, 160], [40, 150.5]]
LOOP = [[400.1, 200.9], [430.1, 170.9], [462.1, 200.9], [431.1, 232.9], [401.1, 202.9]]
WEDGE = [[500.3, 300.7], [520, 266.9], [540.3, 230.7], [561, 266], [581.3, 301.7], [540, 303], [503.3, 302.7]]

BOARDS: dict[str, list[Stroke]] = {
    "pen": [_stroke("pen", points=GESTURE, color=INK, width=4)],
    "pen, widest": [_stroke("pen", points=GESTURE, color=INK, width=20)],
    "pen, no width or colour": [_stroke("pen", points=[*GESTURE[:3]], width=0, color="#64748b")],
    "pen, half transparent": [_stroke("pen", points=GESTURE, color="rgba(220, 38, 38, 0.5)", width=12)],
    "eraser": [
        _stroke("pen", points=GESTURE, color=INK, width=14),
        _stroke("eraser", points=[[60.4, 12.1], [66.4, 75.1], [180.4, 179.1]], color="#1d4ed8", width=20),
        _stroke("pen", points=[[10, 10], [150.5, 170.5]], color="#dc2626", width=3),
    ],
    "line, points": [_stroke("line", points=[[40.2, 90.6], [77.2, 191.6], [155.2, 93.6]], color=INK, width=2)],
    "line, keys": [_stroke("line", startX=10, startY=20, endX=110, endY=85, color=INK, width=3)],
    "rectangle, points": [
        _stroke("rectangle", points=[[210.8, 44.5], [330.8, 45.5], [331, 120.5], [211, 121.5]], color=INK, width=5)
    ],
    "rectangle, keys": [_stroke("rectangle", x=50, y=60, width=140, height=70, color=INK)],
    "rectangle, keys backwards": [_stroke("rectangle", x=190.5, y=130.5, width=-140, height=-70, color=INK)],
    "rectangle, flat": [_stroke("rectangle", x=50, y=60, width=140, height=0, color=INK)],
    "circle, points": [_stroke("circle", points=LOOP, color=INK, width=5)],
    "circle, keys": [_stroke("circle", x=220, y=140, radius=45, color=INK, width=3)],
    "triangle, points": [_stroke("triangle", points=WEDGE, color=INK, width=3)],
    "triangle, corners": [_stroke("triangle", points=[WEDGE[0], WEDGE[2], WEDGE[4]], color=INK, width=3)],
    "arrow, points": [_stroke("arrow", points=[[70.6, 260.2], [120.6, 255.2], [190.6, 240.2]], color=INK, width=3)],
    "arrow, keys": [_stroke("arrow", startX=110, startY=85, endX=30, endY=20, color=INK, width=7)],
    "arrow, no length": [_stroke("arrow", points=[[80, 80], [80, 80]], color=INK, width=3)],
    "text": [_text("The quick brown fox jumps over AVAToday 0123, fi ffl \"x\"")],
    "text, 16 and a half pixels": [_text("Solve for x: 2(x + 3) = 14", size=16.5, x=40.3, y=99.6)],
    "text, bold": [_text("Bold lettering AV To", bold=True)],
    "text, italic": [_text("Italic lettering AV To", italic=True)],
    "text, bold and italic": [_text("Both of them AV To", bold=True, italic=True)],
    "text, underlined": [_text("Underlined gypsy", underline=True)],
    "text, struck through": [_text("Struck out", strikethrough=True, size=30)],
    "text, superscript": [_text("x", size=36), _text("2", x=58, y=112.8, size=24, superscript=True)],
    "text, lines": [_text("First line\nSecond line\n\nFourth, underlined", underline=True)],
    "text, as large as a poster": [_text("Big", size=120, y=200)],
    "text, larger than a mask": [_text("gA", size=300, y=400)],
    "text, in colours": [
        _text("Red", color="#dc2626", size=28),
        _text("Yellow", color="#facc15", size=28, y=160),
        _text("Half seen", color="rgba(29, 78, 216, 0.5)", size=28, y=200),
    ],
    "text, Amharic": [_text("ምሳሌ አንድ፡ ሰላም ለዓለም። እንዴት ነህ?", size=24)],
    "text, Amharic, bold and slanted": [_text("ምሳሌ አንድ፡ ሰላም", bold=True, italic=True)],
    "text, mixed": [_text("x = 3 ስለዚህ a² + b² ≤ √2 π → ∑ ½", size=24)],
    "text, geometry and sets": [
        _text("∠ABC ≅ ∠DEF, AB ∥ CD ⊥ EF", size=24),
        _text("x ∈ A ∪ B ⇒ y ∉ ∅", y=160, size=24),
    ],
    "text, mathematics": [
        _text("∫₀² x² dx = 8⁄3, ∀n ∈ ℕ: ∑ ≤ √n ± ∛8", size=24),
        _text("∂f ≠ ∇g ∴ v⃗ ∝ F⃗", y=160, size=24),
    ],
    "text, chemistry": [
        _text("N₂ + 3H₂ ⇌ 2NH₃, CO₃²⁻ ⟶ CO₂↑ + O²⁻", size=24),
        _text("ΔH° = −92 kJ·mol⁻¹", y=160, size=24),
    ],
    "text, mathematics, bold and slanted": [_text("∠A ≅ ∠B ⇒ x ∈ ℝ ⇌", size=24, bold=True, italic=True)],
    "text, right to left": [_text("שלום עולם 123 abc", size=24), _text("مرحبا بالعالم", y=160, size=24)],
}  # fmt: skip

# Letters of many level strokes: hinting moves these by a fraction of a pixel, and the two hint by different programs
# (FreeType here, Fontations in newer browsers). Where that shows most the ink differs more, the page still does not.
HINTED = {
    "Ethiopic digits": [_text("፩፪፫፬፭ ፲፻፼", size=24)],
    "marks and joiners": [_text("e\u0301 a\u0308o\u0302 ñ 👩\u200d🏫 नमस्ते", size=24)],
}

FULL_PAGE: list[Stroke] = [
    _text("ትምህርት አንድ - Lesson one", x=40, y=60, size=36, bold=True),
    _text("የፒታጎረስ ቴዎረም፡ a² + b² = c²", x=40, y=110, size=24),
    _text("Find c where\n  a = 3\n  b = 4\nand draw it.", x=40, y=160, size=18, italic=True),
    _stroke("triangle", points=[[400, 500], [400, 260], [720, 500], [402, 499]], color="#047857", width=4),
    _stroke("rectangle", points=[[400, 470], [430, 471], [429, 500], [401, 499]], color="#047857", width=2),
    _stroke("arrow", points=[[860, 300], [700, 340], [580, 370]], color="#ea580c", width=3),
    _text("hypotenuse", x=870, y=305, size=18, underline=True, color="#ea580c"),
    _stroke("circle", x=950, y=560, radius=90, color="#7c3aed", width=5),
    _stroke("line", points=[[860, 560], [1040, 560]], color="#7c3aed", width=2),
    *(
        _stroke(
            "pen",
            points=[[60 + 9 * n, 560 + 30 * row + 12 * math.sin(n * (0.4 + row / 9))] for n in range(70)],
            color=("#1d4ed8", "#b91c1c", "#334155")[row % 3],
            width=1 + row,
        )
        for row in range(7)
    ),
    _stroke("eraser", points=[[100, 540], [220, 620], [300, 760]], color="#1d4ed8", width=20),
    _stroke("pen", points=[[120, 545], [240, 640], [290, 780]], color="#facc15", width=6),
]

# The colours of paper and ink, and pixels per CSS pixel.
PAPERS = {
    "on white": ("#ffffff", INK, 1),
    "on white, 2x": ("#ffffff", INK, 2),
    "on slate": ("#1e293b", "#f1f5f9", 1),
    "on slate, 2x": ("#1e293b", "#f1f5f9", 2),
}


def _on(paper: str, strokes: list[Stroke]) -> dict[str, Any]:
    """The board on its paper, in ink that is seen there."""
    background, ink, scale = PAPERS[paper]
    written = json.loads(json.dumps(strokes).replace(INK, ink))
    width, height = (1200, 800) if strokes is FULL_PAGE else (640, 480)
    return {"background_color": background, "width": width, "height": height, "strokes": written, "scale": scale}


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("paper", ["on white", "on slate, 2x"])
def test_a_stroke_looks_as_in_the_browser(
    paper: str, name: str, chromium: BoardBrowser, rendered: Callable[..., bytes], likeness: Likeness
) -> None:
    board = _on(paper, BOARDS[name])
    ours, theirs = rendered(board), chromium.draw(board)

    structure, differing = likeness(ours, theirs, ink_only=True)
    assert structure >= 0.98
    assert differing <= 0.01


@pytest.mark.parametrize("paper", PAPERS)
def test_a_full_page_looks_as_in_the_browser(
    paper: str, chromium: BoardBrowser, rendered: Callable[..., bytes], likeness: Likeness
) -> None:
    board = _on(paper, FULL_PAGE)
    ours, theirs = rendered(board), chromium.draw(board)

    for ink_only in (False, True):
        structure, differing = likeness(ours, theirs, ink_only=ink_only)
        assert structure >= 0.98
        assert differing <= 0.01


@pytest.mark.parametrize("name", HINTED)
@pytest.mark.parametrize("paper", ["on white", "on slate, 2x"])
def test_finely_hinted_letters_look_as_in_the_browser(
    paper: str, name: str, chromium: BoardBrowser, rendered: Callable[..., bytes], likeness: Likeness
) -> None:
    board = _on(paper, HINTED[name])
    ours, theirs = rendered(board), chromium.draw(board)

    structure, differing = likeness(ours, theirs)
    assert structure >= 0.98
    assert differing <= 0.01
    structure, differing = likeness(ours, theirs, ink_only=True)
    assert structure >= 0.88
    assert differing <= 0.10


# Stays in one place, and a canvas draws nothing at all then: no dot, though its ends are round.
NOTHING: dict[str, Stroke] = {
    "pen": _stroke("pen", points=[[50, 50], [50, 50], [50, 50]], color=INK, width=12),
    "pen of one point": _stroke("pen", points=[[50, 50]], color=INK, width=12),
    "line": _stroke("line", startX=50, startY=50, endX=50, endY=50, color=INK, width=20),
    "rectangle": _stroke("rectangle", x=50, y=50, width=0, height=0, color=INK),
    "circle": _stroke("circle", x=50, y=50, radius=0, color=INK, width=20),
    "triangle": _stroke("triangle", points=[[50, 50], [50, 50], [50, 50]], color=INK, width=20),
    "eraser": _stroke("eraser", points=[[50, 50], [50, 50]], color=INK, width=20),
    "text of spaces": _text("   \n "),
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_shows_nothing_in_the_browser_shows_nothing(
    name: str, chromium: BoardBrowser, rendered: Callable[..., bytes], pixels: Callable[[bytes], Any]
) -> None:
    board = {**_on("on white", [NOTHING[name]]), "width": 100, "height": 100}
    assert (pixels(rendered(board)) == 255).all()
    shown = pixels(chromium.draw(board))
    # Some versions draw the round cap of a line without length: at most as wide as the widest pen here.
    shown[39:61, 39:61] = 255
    assert (shown == 255).all()


@pytest.mark.parametrize("paper", ["on white", "on slate, 2x"])
def test_svg_looks_the_same_in_the_browser(
    paper: str, chromium: BoardBrowser, as_svg: Callable[..., str], likeness: Likeness
) -> None:
    board = _on(paper, FULL_PAGE)
    drawn = chromium.draw(board)
    shown = chromium.draw({**board, "strokes": [], "image": as_svg(board)})

    for ink_only in (False, True):
        structure, differing = likeness(shown, drawn, ink_only=ink_only)
        # Letters are outlines in an SVG: nothing is hinted, so their edges differ a little.
        assert structure >= 0.98
        assert differing <= 0.01


@pytest.mark.parametrize("scale", [1, 2])
def test_a_picture_behind_the_ink_looks_as_in_the_browser(
    scale: int,
    chromium: BoardBrowser,
    rendered: Callable[..., bytes],
    as_svg: Callable[..., str],
    photograph: Path,
    likeness: Likeness,
) -> None:
    strokes = [
        _stroke("pen", points=[[20, 250], [780, 260]], color="#dc2626", width=60),
        _stroke("eraser", points=[[100, 200], [400, 260], [700, 300]], color="#dc2626", width=30),
    ]
    board = {"background_color": "#fef3c7", "width": 800, "height": 500, "scale": scale, "strokes": strokes}
    url = "data:image/png;base64," + base64.b64encode(photograph.read_bytes()).decode()

    drawn = chromium.draw({**board, "image": url})
    for ours in (
        rendered({**board, "image": photograph}),
        chromium.draw({**board, "strokes": [], "image": as_svg({**board, "image": photograph})}),
    ):
        structure, differing = likeness(ours, drawn)
        assert structure >= 0.98
        assert differing <= 0.01


def _head(angle: float) -> list[Stroke]:
    """An arrow whose head has another angle."""
    x, y, tip_x, tip_y = 110, 85, 30, 20
    shaft = math.atan2(tip_y - y, tip_x - x)
    sides = [
        [tip_x - 15 * math.cos(shaft + math.radians(turn)), tip_y - 15 * math.sin(shaft + math.radians(turn))]
        for turn in (-angle, angle)
    ]
    return [
        _stroke("line", startX=x, startY=y, endX=tip_x, endY=tip_y, color=INK, width=3),
        _stroke("pen", points=[sides[0], [tip_x, tip_y], sides[1]], color=INK, width=3),
    ]


ARROW = [_stroke("arrow", startX=110, startY=85, endX=30, endY=20, color=INK, width=3)]
WORDS = BOARDS["text"]
ERASED = BOARDS["eraser"]
MISTAKES: dict[str, tuple[list[Stroke], list[Stroke]]] = {
    "an eraser that draws": (ERASED, [{**stroke, "stroke_type": "pen"} for stroke in ERASED]),
    "an eraser that does nothing": (ERASED, [ERASED[0], ERASED[2]]),
    "an eraser before its time": (ERASED, [ERASED[n] for n in (1, 0, 2)]),
    "a baseline one pixel too low": (WORDS, [{**WORDS[0], "stroke_data": {**WORDS[0]["stroke_data"], "y": 121}}]),
    "letters a little too large": (
        WORDS,
        [{**WORDS[0], "stroke_data": {**WORDS[0]["stroke_data"], "fontSize": 18.2}}],
    ),
    "letters too light": (WORDS, [_text(WORDS[0]["stroke_data"]["text"], color="#475569")]),
    "bold forgotten": (BOARDS["text, bold"], [_text("Bold lettering AV To")]),
    "an underline forgotten": (BOARDS["text, underlined"], [_text("Underlined gypsy")]),
    "an arrow's head at 35°": (ARROW, _head(35)),
    "a pen one pixel too wide": (
        BOARDS["pen"],
        [{**board, "stroke_data": {**board["stroke_data"], "width": 5}} for board in BOARDS["pen"]],
    ),
    "a circle one pixel too large": (
        BOARDS["circle, keys"],
        [_stroke("circle", x=220, y=140, radius=46, color=INK, width=3)],
    ),
    "a triangle from its first three points": (
        BOARDS["triangle, points"],
        [_stroke("triangle", points=WEDGE[:3], color=INK, width=3)],
    ),
}  # fmt: skip


def test_an_arrow_is_what_the_mistaken_one_differs_from(
    chromium: BoardBrowser, rendered: Callable[..., bytes], likeness: Likeness
) -> None:
    board = _on("on white", ARROW)
    structure, differing = likeness(rendered(_on("on white", _head(30))), chromium.draw(board), ink_only=True)
    assert structure >= 0.98
    assert differing <= 0.01


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_small_mistake_is_seen(
    mistake: str, chromium: BoardBrowser, rendered: Callable[..., bytes], likeness: Likeness
) -> None:
    right, wrong = MISTAKES[mistake]
    structure, differing = likeness(
        rendered(_on("on white", wrong)), chromium.draw(_on("on white", right)), ink_only=True
    )
    assert structure < 0.98 or differing > 0.01

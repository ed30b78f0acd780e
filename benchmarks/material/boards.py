"""Pages of a board as they are stored: handwriting, shapes and letters. Deterministic."""

import json
import math
from itertools import cycle, islice
from random import Random
from typing import Any

PAGE_WIDTH, PAGE_HEIGHT = 1200, 800
# What a lesson consists of: mostly handwriting.
_SHAPES = ("eraser", "line", "rectangle", "circle", "triangle", "arrow")
_A_SHAPE_EVERY = 10
_A_TEXT_EVERY = 50
_COLOURS = ("#000000", "#1d4ed8", "#b91c1c", "#047857", "#7c3aed", "#ea580c")
_WORDS = ("a² + b² = c²", "ምሳሌ አንድ", "Photosynthesis", "የሂሳብ ትምህርት", "f(x) = 2x + 3", "ሰላም ተማሪዎች")
_LETTER = 28.0


def stored_page(strokes: int, points: int) -> dict[str, Any]:
    """A page document with `strokes` strokes of all types and `points` points in total."""
    chance = Random(6)
    types = list(islice(_types(), strokes))
    drawn = sum(stroke_type != "text" for stroke_type in types)
    each, rest = divmod(points, drawn)
    document: list[dict[str, Any]] = []
    gestures = 0
    for order, stroke_type in enumerate(types, start=1):
        if stroke_type == "text":
            data = _text(chance)
        else:
            data = _gesture(chance, stroke_type, each + (gestures < rest))
            gestures += 1
        document.append({"stroke_type": stroke_type, "stroke_order": order, "stroke_data": data})
    return {"background_color": "#FFFDF5", "width": PAGE_WIDTH, "height": PAGE_HEIGHT, "strokes": document}


def stored_bytes(strokes: int, points: int) -> bytes:
    """The page document as JSON."""
    return json.dumps(stored_page(strokes, points), ensure_ascii=False).encode()


def handwriting(chance: Random, points: int) -> list[list[float]]:
    """One pen movement within a letter's height, as a mouse reports it: fractions of pixels."""
    left, top = chance.uniform(20, PAGE_WIDTH - 60), chance.uniform(20, PAGE_HEIGHT - 60)
    turns, phase, lean = chance.uniform(0.7, 2.5), chance.uniform(0, math.tau), chance.uniform(-0.4, 0.4)
    path = []
    for number in range(points):
        part = number / max(1, points - 1)
        angle = phase + math.tau * turns * part
        x = left + _LETTER * (part + 0.4 * math.cos(angle) + 0.5)
        y = top + _LETTER * (0.5 * math.sin(angle) + lean * part + 0.5)
        path.append([round(x, 2), round(y, 2)])
    return path


def _types() -> Any:
    shapes = cycle(_SHAPES)
    number = 0
    while True:
        number += 1
        yield "text" if number % _A_TEXT_EVERY == 0 else next(shapes) if number % _A_SHAPE_EVERY == 0 else "pen"


def _gesture(chance: Random, stroke_type: str, points: int) -> dict[str, Any]:
    path = handwriting(chance, points) if stroke_type in {"pen", "eraser"} else _outline(chance, stroke_type, points)
    width = 12 if stroke_type == "eraser" else chance.choice((2, 3, 3, 3, 4, 6))
    return {"points": path, "color": chance.choice(_COLOURS), "width": width}


_CORNERS: dict[str, list[tuple[float, float]]] = {
    "line": [(0, 0), (1, 0.4)],
    "arrow": [(0, 1), (1, 0)],
    "rectangle": [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)],
    "triangle": [(0, 1), (0.5, 0), (1, 1), (0, 1)],
    "circle": [(0.5 + 0.5 * math.cos(math.tau * n / 16), 0.5 + 0.5 * math.sin(math.tau * n / 16)) for n in range(17)],
}


def _outline(chance: Random, shape: str, points: int) -> list[list[float]]:
    """The outline of the shape, drawn by hand."""
    corners = _CORNERS[shape]
    width, height = chance.uniform(40, 200), chance.uniform(40, 150)
    left, top = chance.uniform(20, PAGE_WIDTH - 240), chance.uniform(20, PAGE_HEIGHT - 190)
    path = []
    for number in range(points):
        at = number / max(1, points - 1) * (len(corners) - 1)
        side = min(int(at), len(corners) - 2)
        (x1, y1), (x2, y2), part = corners[side], corners[side + 1], at - side
        x, y = x1 + (x2 - x1) * part, y1 + (y2 - y1) * part
        shake = chance.uniform(-1, 1)
        path.append([round(left + width * x + shake, 2), round(top + height * y + shake, 2)])
    return path


def _text(chance: Random) -> dict[str, Any]:
    return {
        "text": chance.choice(_WORDS),
        "x": round(chance.uniform(20, PAGE_WIDTH - 260), 2),
        "y": round(chance.uniform(40, PAGE_HEIGHT - 40), 2),
        "fontSize": chance.choice((18, 18, 24)),
        "fontFamily": "Arial",
        "color": chance.choice(_COLOURS),
    }

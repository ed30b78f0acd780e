"""A lesson's board: handwriting, shapes and text on many pages, with the timestamps that a client would send."""

import math
import random
from datetime import UTC, datetime, timedelta
from typing import Any

BEGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
_COLOURS = ("#000000", "#1d4ed8", "#b91c1c", "#047857")
_TEXTS = ("Fractions", "ምሳሌ አንድ", "a² + b² = c²", "Remember: multiply both sides")


def board_lesson(*, seconds: int, pages: int, strokes: int, points: int) -> dict[str, Any]:
    """The board document of a lesson with drawing about half of the time. Deterministic."""
    chance = random.Random(7)
    each, slot = strokes // pages, seconds / strokes
    return {
        "pages": [
            {
                "page_number": page + 1,
                "page_title": f"Page {page + 1}",
                "background_color": "#FFFFFF",
                "strokes": [
                    _stroke(chance, number, (page * each + number) * slot, slot, round(points / strokes))
                    for number in range(each)
                ],
            }
            for page in range(pages)
        ]
    }


def _stroke(chance: random.Random, number: int, at: float, slot: float, points: int) -> dict[str, Any]:
    kind = (
        "text"
        if number % 40 == 39
        else ("rectangle", "circle", "arrow", "eraser")[number // 25 % 4]
        if number % 25 == 24
        else "pen"
    )
    start = BEGIN + timedelta(seconds=at)
    end = start + timedelta(seconds=slot / 2)
    colour = _COLOURS[number // 60 % len(_COLOURS)]
    left, top = 40 + number % 30 * 37.5, 60 + number // 30 % 14 * 50
    if kind == "text":
        data: dict[str, Any] = {
            "text": chance.choice(_TEXTS),
            "x": left,
            "y": top + 20,
            "fontSize": 20,
            "color": colour,
        }
    else:
        data = {
            "points": _handwriting(chance, left, top, points),
            "color": colour,
            "width": 12 if kind == "eraser" else 3,
        }
    return {
        "stroke_type": kind,
        "stroke_order": number + 1,
        "stroke_data": data,
        "started_at": start.isoformat(),
        "ended_at": end.isoformat(),
        "created_at": (end + timedelta(seconds=0.2)).isoformat(),
    }


def _handwriting(chance: random.Random, left: float, top: float, points: int) -> list[list[float]]:
    """Loops from left to right, like a word of a few letters."""
    turns, height = chance.uniform(2, 4), chance.uniform(8, 16)
    return [
        [
            round(left + 34 * step / points + 6 * math.sin(turns * 2 * math.pi * step / points), 2),
            round(top + 14 + height * math.cos(turns * 2 * math.pi * step / points) + chance.uniform(-0.7, 0.7), 2),
        ]
        for step in range(points)
    ]

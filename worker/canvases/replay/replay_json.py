"""Encodes a replay as JSON for players in the browser: the strokes with their times, in some ten kilobytes.

The format is described in docs/replay-json.md; `VERSION` is incremented when a player of an older version would show
something else. The bytes are deterministic.
"""

import gzip
import json
from typing import Any

import numpy as np

from worker.canvases.replay.partial import is_freehand
from worker.canvases.replay.timeline import ReplayTimeline, TimedStroke
from worker.canvases.shapes import Circle, Colour, Lines, Points, Shape, Text

FORMAT, VERSION = "astegni-replay", 1
# Coordinates are integers in tenths of a CSS pixel: finer than any screen, and small numbers compress well.
_UNITS_PER_PIXEL = 10


def pack_replay(timeline: ReplayTimeline) -> bytes:
    """The document as gzip (RFC 1952), without a timestamp."""
    text = json.dumps(replay_document(timeline), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return gzip.compress(text.encode(), compresslevel=9, mtime=0)


def replay_document(timeline: ReplayTimeline) -> dict[str, Any]:
    """The replay as a JSON document."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "title": timeline.title,
        "started_at": timeline.started_at.isoformat() if timeline.started_at else None,
        "duration_ms": timeline.duration_ms,
        "units_per_pixel": _UNITS_PER_PIXEL,
        "pages": [
            {
                "page_id": page.page_id,
                "page_number": page.number,
                "page_title": page.title,
                "width": page.width,
                "height": page.height,
                "background_color": _css(page.background),
            }
            for page in timeline.pages
        ],
        "turns": [[turn.at, turn.page] for turn in timeline.turns],
        "strokes": [_stroke(stroke) for stroke in timeline.strokes],
        "voices": [
            {
                "recording_id": voice.recording_id,
                "pieces": [[piece.at, piece.start, piece.length] for piece in voice.pieces],
            }
            for voice in timeline.voices
        ],
    }


def _stroke(stroke: TimedStroke) -> dict[str, Any]:
    document: dict[str, Any] = {
        "page": stroke.page,
        "place": stroke.place,
        "start": stroke.start,
        "end": stroke.end,
        **_shape(stroke.shape),
    }
    if stroke.removed_at is not None:
        document["gone"] = stroke.removed_at
    return document


def _shape(shape: Shape) -> dict[str, Any]:
    if isinstance(shape, Lines):
        return _lines(shape)
    return _circle(shape) if isinstance(shape, Circle) else _text(shape)


def _lines(lines: Lines) -> dict[str, Any]:
    kind = "pen" if is_freehand(lines) else "shape"
    document: dict[str, Any] = {
        "kind": kind if lines.colour else "eraser",
        "width": lines.width,
        "contours": [_deltas(contour) for contour in lines.contours],
    }
    if lines.colour is not None:
        document["color"] = _css(lines.colour)
    if lines.closed:
        document["closed"] = True
    return document


def _circle(circle: Circle) -> dict[str, Any]:
    x, y, radius = (round(length * _UNITS_PER_PIXEL) for length in (circle.x, circle.y, circle.radius))
    return {"kind": "circle", "width": circle.width, "color": _css(circle.colour), "x": x, "y": y, "radius": radius}


def _text(text: Text) -> dict[str, Any]:
    styles = ("bold", "italic", "underline", "strikethrough")
    return {
        "kind": "text",
        "lines": list(text.lines),
        "x": round(text.x * _UNITS_PER_PIXEL),
        "y": round(text.y * _UNITS_PER_PIXEL),
        "size": text.size,
        "color": _css(text.colour),
        **{style: True for style in styles if getattr(text, style)},
    }


def _deltas(points: Points) -> list[int]:
    """x and y of the first point, then the difference of each point from the previous one."""
    units = np.rint(points * _UNITS_PER_PIXEL).astype(np.int64)
    deltas: list[int] = np.diff(units, axis=0, prepend=np.zeros((1, 2), np.int64)).ravel().tolist()
    return deltas


def _css(colour: Colour) -> str:
    """`#rrggbb`, or `#rrggbbaa` for translucent colours."""
    channels = [colour.red, colour.green, colour.blue]
    if colour.alpha < 1:
        channels.append(round(255 * colour.alpha))
    return f"#{bytes(channels).hex()}"

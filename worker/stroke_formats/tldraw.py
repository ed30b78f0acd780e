"""Unpack draw shapes of tldraw: the keys under `props`, and points stored as base64.

Since tldraw 4.2 a segment's `path` is the first point as three little-endian float32 (x, y, pressure) and then, for
each further point, its difference from the previous one as three float16 (tlschema, `b64Vecs`). For a while `points`
was text too: each point as three float16.
"""

import base64
import binascii
import math
import struct
from collections.abc import Mapping
from itertools import accumulate, chain
from typing import Any

from worker.stroke_formats.points import points_of
from worker.stroke_formats.values import UnsupportedStroke, number_of

_FIRST, _NEXT = struct.Struct("<3f"), struct.Struct("<3e")
# Sizes in pixels.
_SIZES = {"s": 2.0, "m": 3.5, "l": 5.0, "xl": 10.0}
# Colours whose names are not CSS, in the light theme.
_COLOURS = {
    "light-violet": "#e085f4",
    "light-blue": "#4ba1f1",
    "light-green": "#4cb05e",
    "light-red": "#f87777",
}


def unpack(data: dict[str, Any]) -> None:
    """Replace `props` and `segments` with the keys that other libraries use for points, colour and width."""
    props = data.get("props")
    if isinstance(props, Mapping) and isinstance(props.get("segments"), list):
        del data["props"]
        data["segments"] = _transform(_points_of(props["segments"]), props, data)
        if (colour := props.get("color")) is not None:
            data.setdefault("strokeColor", _COLOURS.get(str(colour), colour))
        if (width := _SIZES.get(str(props.get("size")))) is not None:
            data.setdefault("strokeWidth", width)
    elif isinstance(data.get("segments"), list):
        data["segments"] = _points_of(data["segments"])


def _points_of(segments: list[Any]) -> list[Any]:
    """The points of all segments; the same list when they are not tldraw's."""
    if not all(isinstance(segment, Mapping) for segment in segments):
        return segments
    lines = [_line_of(segment) for segment in segments]
    return segments if None in lines else list(chain.from_iterable(line for line in lines if line is not None))


def _line_of(segment: Mapping[str, Any]) -> list[Any] | None:
    path, points = segment.get("path"), segment.get("points")
    if isinstance(path, str):
        return _decode(path, deltas=True)
    if isinstance(points, str):
        return _decode(points, deltas=False)
    return points if isinstance(points, list) else None


def _decode(text: str, *, deltas: bool) -> list[list[float]]:
    try:
        data = base64.b64decode(text, validate=True)
        if not deltas:
            return [list(point) for point in _NEXT.iter_unpack(data)]
        steps = [_FIRST.unpack(data[: _FIRST.size]), *_NEXT.iter_unpack(data[_FIRST.size :])]
    except (binascii.Error, ValueError, struct.error) as error:
        raise UnsupportedStroke("its segment is none of tldraw's: send points as [[x, y], …]") from error
    return [
        list(point) for point in accumulate(steps, lambda previous, step: tuple(map(float.__add__, previous, step)))
    ]


def _transform(points: list[Any], props: Mapping[str, Any], data: dict[str, Any]) -> list[Any]:
    """The points, scaled and rotated about the shape's corner as tldraw shows them; unchanged when one is invalid."""
    wide, high = (number_of(props.get(key), 1.0) for key in ("scaleX", "scaleY"))
    turn = number_of(data.pop("rotation", 0), 0.0)
    if (wide, high, turn) == (1.0, 1.0, 0):
        return points
    plain, pressures = points_of(points)
    if plain is None:
        return points
    cosine, sine = math.cos(turn), math.sin(turn)
    placed = [[cosine * x * wide - sine * y * high, sine * x * wide + cosine * y * high] for x, y in plain]
    return [[*point, pressure] for point, pressure in zip(placed, pressures, strict=True)] if pressures else placed

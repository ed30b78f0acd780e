"""Parse the points of a stroke in any known format."""

import re
from collections.abc import Mapping
from typing import Any

from worker.stroke_formats.svg_path import commands_of_list, commands_of_text, points_along
from worker.stroke_formats.values import Point, UnsupportedStroke, flat_points, number_of

_LONGEST_PATH = 1_000_000
# The `points` of an SVG polyline.
_POLYLINE = re.compile(r"[-+.\deE,\s]+", re.ASCII)
_PRESSURES = ("pressure", "p", "z", "force", "PressureFactor")
# Plain keys; Windows ink; pointer events relative to the canvas.
_PAIRS = (("x", "y"), ("X", "Y"), ("offsetX", "offsetY"))
# A point is x, y, and optional pen data: pressure, time, tilt.
_LONGEST_POINT = 5


def points_of(value: object) -> tuple[list[Point] | None, list[float]]:
    """The points and the pen's pressure at each, if known; None for the points when one of them is invalid.

    Raises UnsupportedStroke for several lines in one stroke, and for coordinates that are not relative to the page.
    """
    if isinstance(value, str) and len(value) <= _LONGEST_PATH:
        return _points_of_text(value), []
    if isinstance(value, Mapping):
        value = _of_columns(value)
    if not isinstance(value, list) or not value:
        return None, []
    first = value[0]
    if isinstance(first, list | tuple) and first and isinstance(first[0], list | tuple | Mapping):
        if len(value) > 1:
            raise UnsupportedStroke("its points are several lines: send each of them as a stroke")
        value, first = list(first), first[0]
    if isinstance(first, list | tuple) and first and isinstance(first[0], str) and first[0].isalpha():
        commands = commands_of_list(value)
        return (None if commands is None else points_along(commands)), []
    if not isinstance(first, list | tuple | Mapping):
        return flat_points(value), []
    return _points_of_items(_transpose(value))


def _points_of_text(text: str) -> list[Point] | None:
    if _POLYLINE.fullmatch(text):
        return flat_points([*re.split(r"[\s,]+", text.strip(" \t\r\n,"))])
    commands = commands_of_text(text)
    return None if commands is None else points_along(commands)


def _of_columns(value: Mapping[str, Any]) -> list[Any] | None:
    """Points in columns, as in MyScript and Google's ink: `{"x": […], "y": […], "p": […]}`."""
    x, y, pressures = value.get("x"), value.get("y"), value.get("p")
    if not isinstance(x, list) or not isinstance(y, list) or len(x) != len(y):
        return None
    if isinstance(pressures, list) and len(pressures) == len(x):
        return [list(point) for point in zip(x, y, pressures, strict=True)]
    return [list(point) for point in zip(x, y, strict=True)]


def _transpose(value: list[Any]) -> list[Any]:
    """The points of Quick, Draw!: all x, all y, and optionally all times. No single point has as many values."""
    if len(value) in (2, 3) and all(isinstance(item, list) and len(item) > _LONGEST_POINT for item in value):
        return [list(point) for point in zip(value[0], value[1], strict=False)]
    return value


def _points_of_items(items: list[Any]) -> tuple[list[Point] | None, list[float]]:
    points = [_point(item) for item in items]
    if None in points:
        if any(isinstance(item, Mapping) and {"clientX", "pageX", "screenX"} & item.keys() for item in items):
            raise UnsupportedStroke("its points are seen from the window: send offsetX and offsetY, or [[x, y], …]")
        return None, []
    pressures = [_pressure(item) for item in items]
    return (
        [point for point in points if point is not None],
        [] if None in pressures else [pressure for pressure in pressures if pressure is not None],
    )


def _point(item: object) -> Point | None:
    if isinstance(item, Mapping):
        keys = next((pair for pair in _PAIRS if pair[0] in item), _PAIRS[0])
        x, y = (number_of(item.get(key), None) for key in keys)
    elif isinstance(item, list | tuple) and 2 <= len(item) <= _LONGEST_POINT:
        x, y = number_of(item[0], None), number_of(item[1], None)
    else:
        return None
    return None if x is None or y is None else (x, y)


def _pressure(item: object) -> float | None:
    if isinstance(item, Mapping):
        return next((number_of(item[key], None) for key in _PRESSURES if key in item), None)
    return number_of(item[2], None) if isinstance(item, list | tuple) and len(item) > 2 else None

"""Strokes as other drawing libraries write them become strokes as the board's client writes them. Pure.

A board's stroke has `points` as `[[x, y], …]` or the keys of its geometry, `width` and `color`; lengths are numbers of
CSS pixels. What is not understood comes back as it was: whether that can be stored or drawn is for others to say.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import chain, pairwise
from typing import Any

Shape = Mapping[str, Any]
_Point = tuple[float, float]

_NUMBER = re.compile(r"\s*([-+]?(?:\d{1,30}\.?\d{0,30}|\.\d{1,30})(?:[eE][-+]?\d{1,3})?)\s*(?:px)?\s*", re.ASCII)
_PATH_WORD = re.compile(r"[A-Za-z]|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_LONGEST_PATH = 1_000_000
_FONT_SIZE = re.compile(r"(\d{1,4}(?:\.\d{1,4})?)px")

_LENGTHS = frozenset(("x", "y", "width", "height", "radius", "startX", "startY", "endX", "endY", "fontSize"))
# Konva, Fabric, Excalidraw; React Native and p5 sketches; the attributes of an SVG.
_WIDTHS = ("strokeWidth", "stroke_width", "lineWidth", "stroke-width", "thickness", "penSize", "brushSize")
# The same, and signature_pad, react-canvas-draw, the style of a canvas.
_COLOURS = ("strokeColor", "stroke_color", "stroke", "strokeStyle", "penColor", "brushColor", "colour")
_GEOMETRY = {
    "line": {"x1": "startX", "y1": "startY", "x2": "endX", "y2": "endY"},
    "arrow": {"x1": "startX", "y1": "startY", "x2": "endX", "y2": "endY"},
    "rectangle": {"left": "x", "top": "y"},
    "circle": {"cx": "x", "cy": "y", "r": "radius"},
    "text": {"left": "x", "top": "y", "fill": "color"},
}
_PRESSURES = ("pressure", "p", "z", "force")
# tldraw's sizes in pixels.
_SIZES = {"s": 2.0, "m": 3.5, "l": 5.0, "xl": 10.0}
_FOREIGN = frozenset(
    (*_WIDTHS, *_COLOURS, *chain.from_iterable(_GEOMETRY.values()), "font", "path", "paths", "props", "segments")
)
# Beyond it a JavaScript number is no longer exact.
_LARGEST = 2**53
_PLAIN = (int, float)
# How finely a curve is followed: a hand's curves are a few pixels long.
_STEPS = 4


def board_shape(stroke_type: object, data: Shape) -> Shape:
    """The data of a stroke, in the shape of the board's own client. The same object when there is nothing to change."""
    points = data.get("points")
    foreign = not _FOREIGN.isdisjoint(data)
    if (
        not foreign
        and _are_pairs(points)
        and not any(isinstance(value, str) and key in _LENGTHS for key, value in data.items())
    ):
        return data
    shape = dict(data)
    if foreign:
        _rename(shape, stroke_type)
    for key in _LENGTHS & shape.keys():
        shape[key] = _number(shape[key], shape[key])
    if "points" in shape:
        _take_points(shape, stroke_type, foreign=foreign)
    return shape


def _are_pairs(points: object) -> bool:
    """Whether there is nothing to do about the points: pairs of numbers, or none at all."""
    if points is None:
        return True
    # The first and the last point tell: to ask each takes a third of the time to read a page, and no library writes
    # points of two kinds into one stroke.
    return isinstance(points, list) and bool(points) and _is_pair(points[0]) and _is_pair(points[-1])


def _is_pair(point: object) -> bool:
    return type(point) is list and len(point) == 2 and type(point[0]) in _PLAIN and type(point[1]) in _PLAIN


def _rename(shape: dict[str, Any], stroke_type: object) -> None:
    """Keys of other libraries under the names of ours, where ours are missing."""
    _unpack(shape)
    if "points" not in shape:
        for key in ("paths", "path", "segments"):
            if isinstance(shape.get(key), list | str):
                shape["points"] = shape.pop(key)
                break
    if "points" not in shape and isinstance(stroke_type, str):
        _take_geometry(shape, stroke_type)
    _take_pen(shape, stroke_type)
    _take_look(shape)


def _take_geometry(shape: dict[str, Any], stroke_type: str) -> None:
    for foreign, ours in _GEOMETRY.get(stroke_type, {}).items():
        _move(shape, foreign, ours)
    if stroke_type == "circle" and "x" not in shape and {"left", "top", "radius"} <= shape.keys():  # Fabric
        radius = _number(shape["radius"], 0.0)
        shape["x"], shape["y"] = (_number(shape.pop(key), 0.0) + radius for key in ("left", "top"))


def _take_look(shape: dict[str, Any]) -> None:
    for key in _COLOURS:
        if isinstance(shape.get(key), str | int | Mapping):
            _move(shape, key, "color")
    if isinstance(shape.get("color"), int | Mapping):
        shape["color"] = _css(shape["color"])
    if isinstance(shape.get("font"), str) and "fontSize" not in shape and (size := _FONT_SIZE.search(shape["font"])):
        shape["fontSize"] = float(size[1])


def _unpack(shape: dict[str, Any]) -> None:
    """tldraw keeps the drawing under `props`."""
    props = shape.get("props")
    if isinstance(props, Mapping) and isinstance(props.get("segments"), list):
        del shape["props"]
        shape["segments"] = props["segments"]
        shape.setdefault("strokeColor", props.get("color"))
        shape.setdefault("strokeWidth", _SIZES.get(str(props.get("size"))))
    segments = shape.get("segments")
    if isinstance(segments, list) and all(isinstance(part, Mapping) for part in segments):
        points = [part.get("points") for part in segments]
        if all(isinstance(part, list) for part in points):
            shape["segments"] = list(chain.from_iterable(points))


def _take_pen(shape: dict[str, Any], stroke_type: object) -> None:
    """The width of the pen. Beside one, `width` is that of the box (Konva, Fabric, Excalidraw)."""
    key = next((key for key in _WIDTHS if shape.get(key) is not None), None)
    if key is None:
        return
    if stroke_type == "rectangle" and "points" not in shape:
        corner = [_number(shape.get(name), None) for name in ("x", "y", "width", "height")]
        if None in corner:
            return
        x, y, width, height = corner
        shape["points"] = [[x, y], [x + width, y + height]]
        for name in ("x", "y", "height"):
            del shape[name]
    if stroke_type != "rectangle" or "points" in shape:
        shape["width"] = shape.pop(key)


def _move(shape: dict[str, Any], foreign: str, ours: str) -> None:
    if foreign in shape and ours not in shape:
        shape[ours] = shape.pop(foreign)


def _take_points(shape: dict[str, Any], stroke_type: object, *, foreign: bool) -> None:
    points, pressures = _points(shape["points"])
    if points is None:
        return
    if foreign and stroke_type != "text" and not _is_absolute(shape):
        # Excalidraw, tldraw, Konva: points are seen from the corner of their element.
        left, top = _number(shape.pop("x", 0), 0.0), _number(shape.pop("y", 0), 0.0)
        points = [(x + left, y + top) for x, y in points]
    shape["points"] = [list(point) for point in points]
    if pressures and "pressures" not in shape:
        shape["pressures"] = pressures


def _is_absolute(shape: Shape) -> bool:
    return "x" not in shape or "y" not in shape


def _points(value: object) -> tuple[list[_Point] | None, list[float]]:
    """The points of any known shape and the pen's pressure at each; None when one of them is no point."""
    if isinstance(value, str) and len(value) <= _LONGEST_PATH:
        value = _commands(value)
    if not isinstance(value, list) or not value:
        return None, []
    if isinstance(value[0], list | tuple) and value[0] and isinstance(value[0][0], str) and value[0][0].isalpha():
        return _along(value), []
    if not isinstance(value[0], list | tuple | Mapping):
        return _flat(value), []
    points = [_point(item) for item in value]
    if None in points:
        return None, []
    pressures = [_pressure(item) for item in value]
    return (
        [point for point in points if point is not None],
        [] if None in pressures else [pressure for pressure in pressures if pressure is not None],
    )


def _flat(value: list[Any]) -> list[_Point] | None:
    """Konva: x and y in turn."""
    numbers = [_number(item, None) for item in value]
    if None in numbers or len(numbers) % 2:
        return None
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _point(item: object) -> _Point | None:
    if isinstance(item, Mapping):
        x, y = _number(item.get("x"), None), _number(item.get("y"), None)
    elif isinstance(item, list | tuple) and 2 <= len(item) <= 5:
        # x, y, and then what a pen adds: pressure, time, tilt.
        x, y = _number(item[0], None), _number(item[1], None)
    else:
        return None
    return None if x is None or y is None else (x, y)


def _pressure(item: object) -> float | None:
    if isinstance(item, Mapping):
        return next((_number(item[key], None) for key in _PRESSURES if key in item), None)
    return _number(item[2], None) if isinstance(item, list | tuple) and len(item) > 2 else None


def _commands(path: str) -> list[list[Any]]:
    """The commands of an SVG path, as Fabric keeps them: `[["M", x, y], ["Q", cx, cy, x, y]]`."""
    commands: list[list[Any]] = []
    for word in _PATH_WORD.findall(path):
        if word.isalpha():
            commands.append([word])
        elif commands:
            commands[-1].append(float(word))
    return commands


def _along(commands: list[Any]) -> list[_Point] | None:
    """The points along absolute lines and curves; None when there is another command among them."""
    points: list[_Point] = []
    for command in commands:
        if not isinstance(command, list | tuple) or not command:
            return None
        corners = _flat(list(command[1:]))
        if corners is None:
            return None
        match command[0]:
            case "M" | "L":
                points += corners
            case "Q" | "C" if points and len(corners) == {"Q": 2, "C": 3}[command[0]]:
                points += _curve([points[-1], *corners])
            case "Z" | "z" if points:
                points.append(points[0])
            case _:
                return None
    return points or None


def _curve(corners: list[_Point]) -> Iterator[_Point]:
    """De Casteljau's points of a Bézier curve, without its first."""
    for step in range(1, _STEPS + 1):
        part, left = step / _STEPS, corners
        while len(left) > 1:
            left = [(x + (next_x - x) * part, y + (next_y - y) * part) for (x, y), (next_x, next_y) in pairwise(left)]
        yield left[0]


def _css(colour: object) -> object:
    """0xrrggbb, or channels by their names."""
    if isinstance(colour, Mapping):
        red, green, blue = (_number(colour.get(key), None) for key in "rgb")
        if red is None or green is None or blue is None:
            return dict(colour)
        return f"rgb({red:g} {green:g} {blue:g} / {_number(colour.get('a', 1), 1.0):g})"
    return f"#{colour:06x}" if isinstance(colour, int) and 0 <= colour < 1 << 24 else colour


def _number(value: object, otherwise: Any) -> Any:
    """The number that is meant: itself, or text like "12.5" and "24px"."""
    if isinstance(value, str):
        written = _NUMBER.fullmatch(value[:100])
        value = float(written[1]) if written else None
    # Written so that NaN fails too.
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        return value
    return otherwise

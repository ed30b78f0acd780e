"""Translate the keys of other drawing libraries to those of the board's client."""

import re
from collections.abc import Mapping
from itertools import chain
from typing import Any

from worker.stroke_formats.points import points_of
from worker.stroke_formats.tldraw import unpack
from worker.stroke_formats.values import StrokeData, UnsupportedStroke, number_of

_FONT_SIZE = re.compile(r"(\d{1,4}(?:\.\d{1,4})?)px")

_LENGTHS = frozenset(("x", "y", "width", "height", "radius", "startX", "startY", "endX", "endY", "fontSize"))
# Konva, Fabric, Excalidraw; React Native and p5 sketches; SVG attributes.
_WIDTHS = ("strokeWidth", "stroke_width", "lineWidth", "stroke-width", "thickness", "penSize", "brushSize")
# The same libraries, and signature_pad, react-canvas-draw, the styles of a canvas.
_COLOURS = ("strokeColor", "stroke_color", "stroke", "strokeStyle", "penColor", "brushColor", "colour")
_GEOMETRY = {
    "line": {"x1": "startX", "y1": "startY", "x2": "endX", "y2": "endY"},
    "arrow": {"x1": "startX", "y1": "startY", "x2": "endX", "y2": "endY"},
    "rectangle": {"left": "x", "top": "y"},
    "circle": {"cx": "x", "cy": "y", "r": "radius"},
    "text": {"left": "x", "top": "y", "fill": "color"},
}
_FOREIGN = frozenset(
    (
        *(*_WIDTHS, *_COLOURS, *chain.from_iterable(_GEOMETRY.values())),
        *("attrs", "font", "path", "paths", "props", "segments"),
    )
)
# Keys that rotate, scale or move an element, and the value that has no effect.
_TRANSFORMS = {
    **dict.fromkeys(("rotation", "angle", "rotate", "skewX", "skewY", "offsetX", "offsetY", "flipX", "flipY"), 0),
    **dict.fromkeys(("scaleX", "scaleY"), 1),
}
# Types without an `x` and `y` of their own.
_HANDWRITING = ("pen", "eraser")
# The origins of Fabric's `left` and `top`: the distance to the centre in widths or heights.
_ORIGINS = {"left": 0.5, "top": 0.5, "center": 0.0, "right": -0.5, "bottom": -0.5}
# Tolerance in pixels: Fabric rounds, and its bounding box of a curve is exact, ours is of a few points on it.
_SAME_PLACE = 2.0
_PLAIN = (int, float)


def to_board_format(stroke_type: object, data: StrokeData) -> StrokeData:
    """The data of a stroke in the format of the board's client; the same object when nothing has to change.

    Raises UnsupportedStroke.
    """
    points = data.get("points")
    foreign = not _FOREIGN.isdisjoint(data) or type(data.get("x")) is list
    if (
        not foreign
        and _are_pairs(points)
        and not any(isinstance(value, str) and key in _LENGTHS for key, value in data.items())
    ):
        return data
    result = dict(data)
    if foreign:
        _rename(result, stroke_type)
    for key in _LENGTHS & result.keys():
        result[key] = number_of(result[key], result[key])
    if "points" in result:
        _take_points(result, stroke_type, foreign=foreign)
    return result


def _are_pairs(points: object) -> bool:
    """Whether the points need no conversion: pairs of numbers, or None."""
    if points is None:
        return True
    # Checking the first and last point is enough: checking all takes a third of the time to read a page, and no library
    # mixes two kinds of points in one stroke.
    return isinstance(points, list) and bool(points) and _is_pair(points[0]) and _is_pair(points[-1])


def _is_pair(point: object) -> bool:
    return type(point) is list and len(point) == 2 and type(point[0]) in _PLAIN and type(point[1]) in _PLAIN


def _rename(data: dict[str, Any], stroke_type: object) -> None:
    """Rename the keys of other libraries to ours, where ours are missing."""
    if isinstance(data.get("attrs"), Mapping):  # Konva's JSON
        data |= data.pop("attrs")
    unpack(data)
    _check_transforms(data)
    if "points" not in data:
        _find_points(data, stroke_type)
    if "points" not in data and isinstance(stroke_type, str):
        _take_geometry(data, stroke_type)
    _take_pen(data, stroke_type)
    _take_look(data)


def _check_transforms(data: StrokeData) -> None:
    for key, nothing in _TRANSFORMS.items():
        if number_of(data.get(key), None) not in (None, nothing) or data.get(key) is True:
            raise UnsupportedStroke(f"it has {key}: send its points as they stand on the page")
    if data.get("transform") not in (None, "", "none", [1, 0, 0, 1, 0, 0]):
        raise UnsupportedStroke("it has a transform: send its points as they stand on the page")


def _find_points(data: dict[str, Any], stroke_type: object) -> None:
    """Set `points` from the keys of other libraries."""
    for key in ("paths", "path", "segments"):
        if isinstance(data.get(key), list | str):
            data["points"] = data.pop(key)
            if key == "path" and {"left", "top", "width", "height"} <= data.keys():
                data["points"] = _placed_by_fabric(data)
            return
    if stroke_type in _HANDWRITING and isinstance(data.get("x"), list) and isinstance(data.get("y"), list):
        data["points"] = {key: data.pop(key) for key in ("x", "y", "p") if key in data}


def _placed_by_fabric(data: StrokeData) -> object:
    """The points of a path where Fabric shows it: its bounding box may have been moved after drawing."""
    points, _pressures = points_of(data["points"])
    pen = number_of(data.get("strokeWidth"), 1.0)
    box = [number_of(data[key], None) for key in ("left", "top", "width", "height")]
    if points is None or None in box:
        return data["points"]
    shifts = []
    for axis, (edge, length, origin) in enumerate(zip(box[:2], box[2:], ("originX", "originY"), strict=True)):
        along = [point[axis] for point in points]
        start = _ORIGINS.get(str(data.get(origin)), _ORIGINS["left"])
        shift = edge + start * (length + pen) - (min(along) + max(along)) / 2
        shifts.append(shift if abs(shift) > _SAME_PLACE else 0.0)
    return [[x + shifts[0], y + shifts[1]] for x, y in points]


def _take_geometry(data: dict[str, Any], stroke_type: str) -> None:
    for foreign, ours in _GEOMETRY.get(stroke_type, {}).items():
        _move(data, foreign, ours)
    if stroke_type == "circle" and "x" not in data and {"left", "top", "radius"} <= data.keys():  # Fabric
        radius = number_of(data["radius"], 0.0)
        data["x"], data["y"] = (number_of(data.pop(key), 0.0) + radius for key in ("left", "top"))


def _take_look(data: dict[str, Any]) -> None:
    for key in _COLOURS:
        if isinstance(data.get(key), str | int | Mapping):
            _move(data, key, "color")
    if isinstance(data.get("color"), int | Mapping):
        data["color"] = _css(data["color"])
    if isinstance(data.get("font"), str) and "fontSize" not in data and (size := _FONT_SIZE.search(data["font"])):
        data["fontSize"] = float(size[1])


def _take_pen(data: dict[str, Any], stroke_type: object) -> None:
    """Set `width` to the pen's width. If another key holds that, `width` is the box's (Konva, Fabric, Excalidraw)."""
    key = next((key for key in _WIDTHS if data.get(key) is not None), None)
    if key is None:
        return
    if stroke_type == "rectangle" and "points" not in data:
        corner = [number_of(data.get(name), None) for name in ("x", "y", "width", "height")]
        if None in corner:
            return
        x, y, width, height = corner
        data["points"] = [[x, y], [x + width, y + height]]
        for name in ("x", "y", "height"):
            del data[name]
    if stroke_type != "rectangle" or "points" in data:
        data["width"] = data.pop(key)


def _move(data: dict[str, Any], foreign: str, ours: str) -> None:
    if foreign in data and ours not in data:
        data[ours] = data.pop(foreign)


def _take_points(data: dict[str, Any], stroke_type: object, *, foreign: bool) -> None:
    points, pressures = points_of(data["points"])
    if points is None:
        return
    if foreign and stroke_type != "text" and not _is_absolute(data):
        # Excalidraw, tldraw, Konva: points are relative to the corner of their element.
        left, top = number_of(data.pop("x", 0), 0.0), number_of(data.pop("y", 0), 0.0)
        points = [(x + left, y + top) for x, y in points]
    data["points"] = [list(point) for point in points]
    if pressures and "pressures" not in data:
        data["pressures"] = pressures


def _is_absolute(data: StrokeData) -> bool:
    return "x" not in data or "y" not in data


def _css(colour: object) -> object:
    """The CSS colour of an integer 0xrrggbb or a mapping of channels; anything else unchanged."""
    if isinstance(colour, Mapping):
        red, green, blue = (number_of(colour.get(key), None) for key in "rgb")
        if red is None or green is None or blue is None:
            return dict(colour)
        return f"rgb({red:g} {green:g} {blue:g} / {number_of(colour.get('a', 1), 1.0):g})"
    return f"#{colour:06x}" if isinstance(colour, int) and 0 <= colour < 1 << 24 else colour

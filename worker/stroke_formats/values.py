"""Numbers and points in any known format."""

import re
from collections.abc import Mapping
from typing import Any

StrokeData = Mapping[str, Any]
Point = tuple[float, float]

_NUMBER = re.compile(r"\s*([-+]?(?:\d{1,30}\.?\d{0,30}|\.\d{1,30})(?:[eE][-+]?\d{1,3})?)\s*(?:px)?\s*", re.ASCII)
# The largest exact integer of a JavaScript number.
_LARGEST = 2**53


class UnsupportedStroke(ValueError):
    """The stroke would be drawn other than intended; the message says what to send instead."""


def number_of(value: object, otherwise: Any) -> Any:
    """The value as a number, parsed from text like "12.5" and "24px"; `otherwise` when it is not one."""
    if isinstance(value, str):
        written = _NUMBER.fullmatch(value[:100])
        value = float(written[1]) if written else None
    # The comparison is false for NaN too.
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        return value
    return otherwise


def flat_points(values: list[Any]) -> list[Point] | None:
    """The points of Konva's flat list of alternating x and y; None when it is invalid."""
    numbers = [number_of(value, None) for value in values]
    if None in numbers or len(numbers) % 2:
        return None
    return list(zip(numbers[::2], numbers[1::2], strict=True))

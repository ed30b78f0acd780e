"""Numbers and points of any notation."""

import re
from collections.abc import Mapping
from typing import Any

Shape = Mapping[str, Any]
Point = tuple[float, float]

_NUMBER = re.compile(r"\s*([-+]?(?:\d{1,30}\.?\d{0,30}|\.\d{1,30})(?:[eE][-+]?\d{1,3})?)\s*(?:px)?\s*", re.ASCII)
# Beyond it a JavaScript number is no longer exact.
_LARGEST = 2**53


class NotUnderstood(ValueError):
    """A shape that would be drawn otherwise than it was meant; the text says what to send instead."""


def number_of(value: object, otherwise: Any) -> Any:
    """The number that is meant: itself, or text like "12.5" and "24px"."""
    if isinstance(value, str):
        written = _NUMBER.fullmatch(value[:100])
        value = float(written[1]) if written else None
    # Written so that NaN fails too.
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        return value
    return otherwise


def flat_points(values: list[Any]) -> list[Point] | None:
    """Konva's points: x and y in turn."""
    numbers = [number_of(value, None) for value in values]
    if None in numbers or len(numbers) % 2:
        return None
    return list(zip(numbers[::2], numbers[1::2], strict=True))

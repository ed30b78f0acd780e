"""Colours as CSS writes them: names, hex, rgb(), hsl(), hwb()."""

from functools import lru_cache

from tinycss2.color4 import parse_color

from worker.canvases.shapes import Colour

# Nothing longer is a colour, and the parser need not look at it.
_LONGEST = 100


def colour_of(value: object) -> Colour | None:
    """The colour that CSS text names, clamped into sRGB; None when it names none."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    return _parse(value)


@lru_cache(maxsize=1024)
def _parse(value: str) -> Colour | None:
    parsed = parse_color(value)
    if parsed is None or parsed == "currentcolor":
        return None
    try:
        red, green, blue = (_byte(channel or 0.0) for channel in parsed.to("srgb").coordinates)
    except (NotImplementedError, ValueError, OverflowError):
        # A space the parser does not convert from, or an angle without end: no board's colour input writes them.
        return None
    return Colour(red, green, blue, min(1.0, max(0.0, parsed.alpha)))


def _byte(channel: float) -> int:
    return round(255 * min(1.0, max(0.0, channel)))

"""CSS colours: names, hex, rgb(), hsl(), hwb()."""

from functools import lru_cache

from tinycss2.color4 import parse_color

from worker.canvases.shapes import Colour

# No longer text is a colour, so it is not parsed.
_LONGEST = 100


def colour_of(value: object) -> Colour | None:
    """The colour of a CSS value, clamped to sRGB; None when it is not a colour."""
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
        # A colour space that the parser cannot convert, or an infinite angle: no colour input of a board writes them.
        return None
    return Colour(red, green, blue, min(1.0, max(0.0, parsed.alpha)))


def _byte(channel: float) -> int:
    return round(255 * min(1.0, max(0.0, channel)))


def over_white(colour: Colour) -> Colour:
    """The colour over white, for translucent page backgrounds."""
    channels = (
        round(channel * colour.alpha + 255 * (1 - colour.alpha)) for channel in (colour.red, colour.green, colour.blue)
    )
    return Colour(*channels)

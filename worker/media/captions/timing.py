"""Parse the timing line of a caption: `00:01.500 --> 00:04.000 line:0`, in WebVTT and in SRT."""

import re
from dataclasses import dataclass

ARROW = "-->"
# A longer line is no timing line: nobody writes one this long.
_LONGEST_LINE = 500
_TIME = r"(?:(\d{1,4}):)?([0-5]?\d):([0-5]?\d)(?:[.,](\d{1,3}))?"
_TIMING = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s+(.*))?", re.ASCII)
_NUMBER = r"-?\d{1,6}(?:\.\d{1,6})?"
_SETTING = re.compile(
    rf"vertical:(?:rl|lr)|line:{_NUMBER}%?(?:,(?:start|center|end))?|size:{_NUMBER}%"
    rf"|position:{_NUMBER}%(?:,(?:line-left|center|line-right))?|align:(?:start|center|end|left|right)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Timing:
    """When a caption is shown, in milliseconds, and its valid settings; those of regions and of SRT are left out."""

    start_ms: int
    end_ms: int
    settings: str


def read_timing(line: str) -> Timing | None:
    """The timing in a line; None if none can be parsed. Hours and fractions of a second may be missing."""
    match = _TIMING.fullmatch(line) if len(line) <= _LONGEST_LINE else None
    if match is None:
        return None
    *times, settings = match.groups()
    valid = [word for word in (settings or "").split() if _SETTING.fullmatch(word)]
    return Timing(_milliseconds(times[:4]), _milliseconds(times[4:]), " ".join(valid))


def _milliseconds(parts: list[str | None]) -> int:
    hours, minutes, seconds, fraction = parts
    return (int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)) * 1000 + int(
        (fraction or "").ljust(3, "0")
    )

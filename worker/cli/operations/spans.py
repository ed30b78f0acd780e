"""Spans of time as people type them: 30s, 15m, 1h, 2d."""

import re
from datetime import timedelta

from worker.errors import InvalidInput

_SPAN = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=366)


def parse_span(words: str, option: str) -> timedelta:
    """The span of `words`, a year at most; `option` is named in errors. Raises InvalidInput."""
    match = _SPAN.fullmatch(words.strip().lower())
    if match is None:
        raise InvalidInput(f"{option} must be a time like 30s, 15m, 1h or 2d, not {words!r}.")
    span = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if span > _LONGEST:
        raise InvalidInput(f"{option} is a year at most, not {words!r}.")
    return span

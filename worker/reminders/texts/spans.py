"""Durations in whole days, hours and minutes."""

from typing import NamedTuple

_HOUR = 60
_DAY = 24 * _HOUR


class Span(NamedTuple):
    """A duration as people say it."""

    days: int
    hours: int
    minutes: int


def exactly(minutes: int) -> Span:
    """`minutes` to the minute; negative ones count as 0."""
    days, rest = divmod(max(minutes, 0), _DAY)
    return Span(days, *divmod(rest, _HOUR))


def about(minutes: int) -> Span:
    """`minutes` rounded as people do: from an hour to multiples of five minutes, from a day to whole hours.

    A reminder a day ahead that is sent two minutes late still says "in a day".
    """
    if minutes < _HOUR:
        return exactly(minutes)
    near = _nearest(minutes, 5)
    return exactly(near if near < _DAY else _nearest(near, _HOUR))


def _nearest(minutes: int, step: int) -> int:
    return (minutes + step // 2) // step * step

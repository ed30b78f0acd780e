"""Which zones agree with measured offsets, as a table."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from worker.platform.zone_evidence import CallEnd, FirstRequest, compare_calls, compare_requests, measure

_BERLIN = ZoneInfo("Europe/Berlin")
_SUMMER, _WINTER = datetime(2026, 7, 1, 12, tzinfo=UTC), datetime(2026, 12, 1, 12, tzinfo=UTC)


def _calls(start: datetime, hours: list[float]) -> list[CallEnd]:
    """One call a day, with the server this many hours ahead."""
    days = [start + timedelta(days=day) for day in range(len(hours))]
    return [
        CallEnd((day + timedelta(hours=ahead)).replace(tzinfo=None), day)
        for day, ahead in zip(days, hours, strict=True)
    ]


@pytest.mark.parametrize(
    ("summer", "winter", "agrees"),
    [
        ([2] * 10, [1] * 10, True),
        ([2, 2], [], True),
        ([], [1, 1], True),
        ([], [], False),
        ([2], [], False),
        ([2] * 10, [2] * 10, False),
        # One wrong browser among many; three in succession are no single browser's.
        ([2] * 15 + [5, 2], [1] * 10, True),
        ([2] * 25, [1] * 10 + [2, 2, 2], False),
        # Each wrong in its own way.
        ([2] * 25, [1] * 10 + [2, 7, 3], True),
        # More than one in ten.
        ([2, 2, 7, 2, 2, 2, 2, 2], [], False),
    ],
)
def test_calls(summer: list[float], winter: list[float], agrees: bool) -> None:
    offsets, imprecise = measure([*_calls(_SUMMER, summer), *_calls(_WINTER, winter)])

    assert imprecise == 0
    assert compare_calls(offsets, imprecise, _BERLIN).agrees is agrees


def test_offsets_are_measured_to_a_quarter_of_an_hour() -> None:
    offsets, imprecise = measure(_calls(_SUMMER, [2.02, 5.75, 2.1]))

    assert [offset.ahead for offset in offsets] == [timedelta(hours=2), timedelta(hours=5.75)]
    assert imprecise == 1


@pytest.mark.parametrize(
    ("zone", "starts", "both"),
    [
        ("Europe/Berlin", [_SUMMER, _WINTER], True),
        ("Europe/Berlin", [_SUMMER], False),
        ("Africa/Addis_Ababa", [_SUMMER, _WINTER], True),
        ("Africa/Addis_Ababa", [_WINTER], False),
        ("UTC", [_SUMMER], False),
    ],
)
def test_both_halves_of_the_year(zone: str, starts: list[datetime], both: bool) -> None:
    offsets, _ = measure(CallEnd(start.replace(tzinfo=None), start) for start in starts)

    assert compare_calls(offsets, 0, ZoneInfo(zone)).both_halves is both


@pytest.mark.parametrize(
    ("delay", "contradicts", "confirms"),
    [
        (timedelta(hours=2, minutes=1), False, True),
        (timedelta(hours=2), False, True),
        (timedelta(hours=1), True, False),
        (timedelta(hours=9), False, False),
    ],
)
def test_requests_against_accounts(delay: timedelta, contradicts: bool, confirms: bool) -> None:
    account = datetime.fromisoformat("2026-07-01T12:00")

    evidence = compare_requests([FirstRequest(account + delay, account)], _BERLIN)

    assert (evidence.contradicts, evidence.confirms) == (contradicts, confirms)


def test_a_time_that_came_twice_measures_nothing() -> None:
    request = FirstRequest(datetime.fromisoformat("2026-10-25T02:30"), datetime.fromisoformat("2026-10-25T01:00"))

    assert compare_requests([request], _BERLIN).people == 0

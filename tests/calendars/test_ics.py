"""Calendars as other programs read them: all output is parsed by the `icalendar` package."""

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from hypothesis import given
from hypothesis import strategies as st

from worker.calendars.event import Event
from worker.calendars.ics import MAX_OCTETS, fold, render, text
from worker.calendars.vtimezone import vtimezone
from worker.calendars.zones import zone
from worker.errors import InvalidInput
from worker.foreign_text import shown, uri

ADDIS = "Africa/Addis_Ababa"
EVENT = Event(
    uid="lesson-7@astegni",
    sequence=3,
    created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    changed_at=datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC),
    starts_at=datetime(2026, 3, 2, 11, 0, tzinfo=UTC),
    ends_at=datetime(2026, 3, 2, 12, 30, tzinfo=UTC),
    timezone=ADDIS,
    summary="ሒሳብ with አበበ ከበደ",
    description="Grade 10\nBring: paper, pens; and C:\\new",
    location="Bole, Addis Ababa; 2nd floor",
    url="https://meet.example.org/abc?x=1,2;3",
    categories=("Lesson", "Maths, pure"),
)
# Whatever some reader takes for the end of a line.
LINE_ENDS = ("\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029")


def rendered(*events: Event, name: str = "Lessons", home: str = ADDIS) -> bytes:
    return render(name, events, home=home)


def read(octets: bytes) -> Any:
    calendar = icalendar.Calendar.from_ical(octets)
    for component in calendar.walk():
        assert not component.errors
    return calendar


def events_in(octets: bytes) -> list[Any]:
    events: list[Any] = read(octets).walk("VEVENT")
    return events


def at(place: str, *local: int, fold: int = 0) -> datetime:
    return datetime(*local, fold=fold, tzinfo=zone(place)).astimezone(UTC)  # type: ignore[misc, arg-type]


def test_everything_said_comes_back() -> None:
    calendar = read(rendered(EVENT, name="Astegni: አልማዝ, በቀለ"))
    assert calendar["VERSION"] == "2.0"
    assert calendar["METHOD"] == "PUBLISH"
    # Both are TEXT (RFC 7986 §5.1); the package knows no type for them, so it leaves the escape in.
    assert calendar["NAME"] == calendar["X-WR-CALNAME"] == "Astegni: አልማዝ\\, በቀለ"
    assert calendar["REFRESH-INTERVAL"].dt == timedelta(hours=1)
    assert calendar["REFRESH-INTERVAL"].params["VALUE"] == "DURATION"
    assert calendar["X-PUBLISHED-TTL"] == "PT1H"

    (event,) = calendar.walk("VEVENT")
    assert event["UID"] == "lesson-7@astegni"
    assert event["SEQUENCE"] == 3
    assert event["DTSTAMP"].dt == event["LAST-MODIFIED"].dt == datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert event["CREATED"].dt == EVENT.created_at
    assert event["DTSTART"].params["TZID"] == event["DTEND"].params["TZID"] == ADDIS
    assert event["DTSTART"].to_ical() == b"20260302T140000"
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (EVENT.starts_at, EVENT.ends_at)
    assert (event["SUMMARY"], event["DESCRIPTION"]) == (EVENT.summary, EVENT.description)
    assert (event["LOCATION"], event["URL"]) == (EVENT.location, EVENT.url)
    assert [str(cat) for cat in event["CATEGORIES"].cats] == ["Lesson", "Maths, pure"]
    assert (event["STATUS"], event["TRANSP"]) == ("CONFIRMED", "OPAQUE")


def test_cancelled_lessons_and_free_slots() -> None:
    slot = replace(EVENT, uid="lesson-8@astegni", busy=False, location="", description="", categories=())
    cancelled, free = events_in(rendered(replace(EVENT, cancelled=True), slot))
    assert cancelled["STATUS"] == "CANCELLED"
    assert free["TRANSP"] == "TRANSPARENT"
    assert not {"LOCATION", "DESCRIPTION", "CATEGORIES"} & set(free)


def test_the_time_of_rendering_is_nowhere() -> None:
    assert datetime.now(UTC).year > 2025, "the values below would not be told from the present"
    first = rendered(EVENT)
    time.sleep(1.1)
    assert rendered(EVENT) == first


def test_lines_end_and_fold_as_they_must() -> None:
    octets = rendered(replace(EVENT, summary="አማርኛ" * 100, description="x" * 74 + "ለ" * 50))
    assert octets.endswith(b"END:VCALENDAR\r\n")
    lines = octets.split(b"\r\n")[:-1]
    assert max(map(len, lines)) == MAX_OCTETS
    for line in lines:
        assert line
        assert b"\r" not in line
        assert b"\n" not in line
        line.decode("utf-8")  # no character is split


@given(st.text(alphabet=st.characters(exclude_characters="\r\n"), max_size=400))
def test_a_folded_line_is_the_line(line: str) -> None:
    octets = fold(line)
    pieces = octets.split(b"\r\n ")
    assert b"".join(pieces) == line.encode("utf-8", "ignore")
    assert all(len(piece) <= MAX_OCTETS - (number > 0) for number, piece in enumerate(pieces))
    assert all(piece.decode("utf-8") for piece in pieces[1:])


# Letters that mean something in the format come often.
HOSTILE = st.text(
    st.one_of(st.sampled_from("\\;,:\n\r\"'=NnT \t\x00\x0b\x85\u2028\ud800ለ😀"), st.characters()), max_size=200
)


@given(HOSTILE, HOSTILE, HOSTILE)
def test_any_text_stays_inside_its_value(summary: str, description: str, location: str) -> None:
    event = replace(EVENT, summary=f"s{summary}", description=f"d{description}", location=f"l{location}")
    octets = rendered(event, name=f"n{summary}")
    (component,) = events_in(octets)
    assert set(component) == set(events_in(rendered(EVENT))[0])
    assert component["SUMMARY"] == shown(event.summary)
    assert component["DESCRIPTION"] == shown(event.description)
    assert component["LOCATION"] == shown(event.location)
    # Readers that split where Python does see the same lines.
    assert len(octets.decode().splitlines()) == octets.count(b"\r\n")


@pytest.mark.parametrize("end", LINE_ENDS)
@pytest.mark.parametrize("field", ["summary", "description", "location", "uid", "categories", "url"])
def test_nobody_adds_a_property_through_a_value(field: str, end: str) -> None:
    smuggled = f"https://example.org/x{end}ATTENDEE:mailto:eve@example.org{end}END:VEVENT{end}BEGIN:VALARM"
    value: Any = (smuggled,) if field == "categories" else smuggled
    event = replace(EVENT, **{field: value})
    for octets in (rendered(event), rendered(EVENT, name=smuggled)):
        for line in octets.decode().splitlines():
            assert not line.startswith(("ATTENDEE", "BEGIN:VALARM"))
        (component,) = events_in(octets)
        assert "ATTENDEE" not in component
        assert component.subcomponents == []


@pytest.mark.parametrize(
    ("address", "link"),
    [
        ("https://meet.example.org/abc", "https://meet.example.org/abc"),
        ("  HTTP://example.org/a%20b ", "HTTP://example.org/a%20b"),
        ('https://example.org/ለ?q="<>"', "https://example.org/%E1%88%88?q=%22%3C%3E%22"),
        ("https://[::1]:8000/x#y", "https://[::1]:8000/x#y"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("ftp://example.org/", None),
        ("//example.org/", None),
        ("https:///x", None),
        ("https://[::1/", None),
        ("https://example.org/a b", None),
        ("https://example.org/\r\nURL:x", None),
        ("https://example.org/\u2028x", None),
        ("Zoom 123 456", None),
        ("", None),
    ],
)
def test_only_addresses_of_pages_are_links(address: str, link: str | None) -> None:
    assert uri(address) == link
    (event,) = events_in(rendered(replace(EVENT, url=address)))
    assert event.get("URL") == link


def test_escapes_are_those_of_the_standard() -> None:
    assert text('a,b;c\\d\ne:f"g') == 'a\\,b\\;c\\\\d\\ne:f"g'


class TestZones:
    """VTIMEZONE, against the database it was made of."""

    PLACES = (
        ADDIS, "America/New_York", "Africa/Casablanca", "Australia/Lord_Howe", "Europe/Dublin", "Asia/Jerusalem",
        "Africa/Cairo", "America/Santiago", "Asia/Kolkata", "Pacific/Chatham", "Asia/Gaza", "UTC",
    )  # fmt: skip

    @pytest.mark.parametrize("place", PLACES)
    @pytest.mark.parametrize("years", [(2026, 2026), (2025, 2028)])
    def test_a_reader_that_knows_no_zone_reads_the_same_clock(self, place: str, years: tuple[int, int]) -> None:
        lines = "\r\n".join(vtimezone(place, *years)).replace(f"TZID:{place}", "TZID:Nowhere")
        read: Any = icalendar.Timezone.from_ical(lines)
        timezone = read.to_tz(lookup_tzid=False)
        reference = zone(place)
        local = datetime(years[0], 1, 1)  # noqa: DTZ001 - local
        while local.year <= years[1]:
            # Within an hour of a change readers differ about the wall clock; changes last no longer.
            if len({(local + timedelta(hours=hours)).replace(tzinfo=reference).utcoffset() for hours in (-3, 3)}) == 1:
                assert local.replace(tzinfo=timezone).utcoffset() == local.replace(tzinfo=reference).utcoffset(), local
            local += timedelta(hours=3)

    @pytest.mark.parametrize("place", PLACES)
    def test_lessons_of_every_day_are_where_they_belong(self, place: str) -> None:
        days = [date(2026, 1, 1) + timedelta(days=number) for number in range(366)]
        events = [_lesson(number, place, day, 14) for number, day in enumerate(days)]
        # Under a name that nobody knows, so that only our VTIMEZONE can help.
        octets = rendered(*events, home=place).replace(f"TZID={place}:".encode(), f"TZID=Our/{place}:".encode())
        calendar = read(octets.replace(f"TZID:{place}".encode(), f"TZID:Our/{place}".encode()))
        occurrences = recurring_ical_events.of(calendar).between(date(2025, 12, 31), date(2027, 1, 3))
        times = {
            (str(occurrence["UID"]), *(occurrence[name].dt.astimezone(UTC) for name in ("DTSTART", "DTEND")))
            for occurrence in occurrences
        }
        assert times == {(event.uid, event.starts_at, event.ends_at) for event in events}

    def test_a_zone_that_never_changes_has_one_observance(self) -> None:
        (timezone,) = read(rendered(EVENT)).walk("VTIMEZONE")
        (standard,) = timezone.subcomponents
        assert (timezone["TZID"], standard.name, standard["TZNAME"]) == (ADDIS, "STANDARD", "EAT")
        assert standard["TZOFFSETTO"].td == standard["TZOFFSETFROM"].td == timedelta(hours=3)

    def test_a_zone_with_a_rule_is_a_pair_that_outlook_understands(self) -> None:
        read = icalendar.Timezone.from_ical("\r\n".join(vtimezone("America/New_York", 2026, 2026)))
        parts: list[Any] = read.subcomponents
        pair = {part.name: (part["DTSTART"].dt, dict(part["RRULE"])) for part in parts}
        assert pair == {
            "DAYLIGHT": (datetime(2025, 3, 9, 2), {"FREQ": ["YEARLY"], "BYMONTH": [3], "BYDAY": ["2SU"]}),  # noqa: DTZ001 - local
            "STANDARD": (datetime(2025, 11, 2, 2), {"FREQ": ["YEARLY"], "BYMONTH": [11], "BYDAY": ["1SU"]}),  # noqa: DTZ001 - local
        }
        assert len(parts) == 2

    def test_a_zone_without_a_rule_tells_every_change(self) -> None:
        timezone = icalendar.Timezone.from_ical("\r\n".join(vtimezone("Africa/Casablanca", 2025, 2025)))
        changes = {
            subcomponent["DTSTART"].to_ical(): subcomponent["TZOFFSETTO"].to_ical()
            for subcomponent in timezone.subcomponents
        }
        assert changes[b"20250223T030000"] == "+0000"
        assert changes[b"20250406T020000"] == "+0100"
        assert not any("RRULE" in subcomponent for subcomponent in timezone.subcomponents)

    def test_each_zone_is_told_once(self) -> None:
        places = (ADDIS, "America/New_York", ADDIS, "Africa/Casablanca")
        events = [_lesson(number, place, date(2026, 5, 1), 9) for number, place in enumerate(places)]
        names = [str(timezone["TZID"]) for timezone in read(rendered(*events)).walk("VTIMEZONE")]
        assert names == sorted(set(places))

    def test_the_second_of_two_hours_is_told_in_utc(self) -> None:
        """01:30 comes twice in New York on 1 November 2026, and a local time can only mean the first."""
        first = at("America/New_York", 2026, 11, 1, 0, 30)
        event = replace(EVENT, timezone="America/New_York", starts_at=first, ends_at=first + timedelta(hours=2))
        (component,) = events_in(rendered(event))
        assert component["DTSTART"].to_ical() == b"20261101T043000Z"
        assert component["DTEND"].to_ical() == b"20261101T063000Z"
        before = replace(event, ends_at=first + timedelta(hours=1))
        (component,) = events_in(rendered(before))
        assert component["DTEND"].to_ical() == b"20261101T013000"
        assert component["DTEND"].dt.astimezone(UTC) == before.ends_at

    @pytest.mark.parametrize("unknown", [None, "Mars/Olympus", "EVIL:x\r\nATTENDEE:y", "../etc/passwd", ""])
    def test_a_zone_that_is_none_does_no_harm(self, unknown: str | None) -> None:
        (component,) = events_in(rendered(replace(EVENT, timezone=unknown)))
        assert component["DTSTART"].to_ical() == b"20260302T110000Z"
        with pytest.raises(InvalidInput):
            vtimezone("Mars/Olympus", 2026, 2026)

    def test_the_pinned_database_is_what_is_told(self) -> None:
        assert isinstance(zone(ADDIS), ZoneInfo)
        assert at("America/New_York", 2026, 3, 8, 3, 30) == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)


def _lesson(number: int, place: str, day: date, hour: int) -> Event:
    starts_at = at(place, day.year, day.month, day.day, hour)
    ends_at = starts_at + timedelta(hours=1)
    return replace(EVENT, uid=f"lesson-{number}@astegni", timezone=place, starts_at=starts_at, ends_at=ends_at)


def test_a_calendar_without_lessons_is_a_calendar() -> None:
    """RFC 5545 §3.6 wants a component; the owner's zone is one."""
    calendar = read(rendered(home="America/New_York"))
    assert [component.name for component in calendar.subcomponents] == ["VTIMEZONE"]


def test_four_hundred_lessons_are_four_hundred_events() -> None:
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(400)]
    events = [_lesson(number, "America/New_York", day, 16) for number, day in enumerate(days)]
    assert rendered(*events).count(b"BEGIN:VEVENT") == 400

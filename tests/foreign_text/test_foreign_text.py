"""What remains of people's texts and links in every kind of output."""

import json
import unicodedata
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from typing import Any

import httpx2
import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.calendars.ics import render as render_calendar
from worker.channels.email_message import compose
from worker.channels.message import Message
from worker.foreign_text import clean, clean_lines, foreign_link, shown, shown_values
from worker.reminders.texts.attachments import attachment
from worker.reminders.texts.recipient import Recipient
from worker.reminders.texts.render import render
from worker.schedules.feeds.events import FeedLesson, feed_event

NOW = datetime(2026, 11, 13, 9, 0, tzinfo=UTC)
READER = Recipient("Liya", "en", "Africa/Addis_Ababa")
JOINERS = "\u200c\u200d"
# Those that turn directions, hide, or end lines come often; so do their neighbours that may stay.
HOSTILE = st.text(
    st.one_of(
        st.sampled_from(
            "\u202e\u202d\u2066\u2069\u200f\u061c\u200b\u200d\ufeff\u00ad\ue000\x00\x07\x1b\x85\r\n\t\u2028 aለب."
        ),
        st.characters(),
    ),
    max_size=60,
)


def hidden(text: str) -> set[str]:
    """Characters of `text` that may not leave: unseen ones, those that turn directions, controls but line ends."""
    return {
        character
        for character in text
        if character not in JOINERS + "\n" and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
    }


@settings(deadline=None)
@given(HOSTILE)
def test_nothing_hidden_is_left(words: str) -> None:
    visible = shown(words)
    assert hidden(visible) == set()
    assert shown(visible) == visible
    assert hidden(clean(words, 40)) == hidden(clean_lines(words)) == set()
    assert "\n" not in clean(words, 40)
    assert (
        hidden(json.dumps(shown_values({"a": words, "b": [words, 1, None], "c": {"d": words}}), ensure_ascii=False))
        == set()
    )


@pytest.mark.parametrize("words", ["Mathematics ≅ ∠ABC", "ሒሳብ፣ ክፍል 10።", "رياضيات", "می\u200cروم", "👩\u200d🏫 x²"])
def test_words_of_every_script_stay_as_they_are(words: str) -> None:
    assert shown(words) == clean(words, 100) == words


def test_blanks_cost_no_time() -> None:
    """In quadratic time this would take half an hour."""
    note = f"a{' ' * 1_000_000}b"
    assert clean_lines(note) == note
    assert clean_lines(f"https{note}://evil.example") == f"https{note}: evil. example"


def test_lines_stay_lines() -> None:
    assert (
        clean_lines("Bring paper.\r\nSee https://evil.example/x\u202e\n") == "Bring paper.\nSee https: evil. example/x"
    )


def lesson(words: str) -> dict[str, Any]:
    return {
        "schedule_id": 7,
        "view": "parent",
        "starts_at": (NOW + timedelta(minutes=15)).isoformat(),
        "ends_at": (NOW + timedelta(minutes=75)).isoformat(),
        "timezone": "Africa/Addis_Ababa",
        "created_at": NOW.isoformat(),
        "updated_at": NOW.isoformat(),
        "sequence": 1,
        "minutes_left": 15,
        "tutor": words,
        "students": [words],
        "subject": words,
        "location": words,
    }


@settings(deadline=None)
@given(HOSTILE)
def test_by_every_way(words: str) -> None:
    """Mail with subject, both bodies and file; the app; a webhook's data; a calendar that somebody subscribes to."""
    data = lesson(f"x{words}")
    rendering = render("lesson-reminder", data, READER)
    file = attachment("lesson-reminder", data, READER, organizer="no-reply@astegni.example")
    assert file is not None
    for text in (
        rendering.subject,
        rendering.summary,
        rendering.text,
        rendering.html,
        file.decode().replace("\r\n", "\n"),
    ):
        assert hidden(text) == set()
    message = Message("lesson-reminder", f"x{words}", rendering.text, rendering.html, id="a", data=shown_values(data))
    mail = compose(message, sender=Address("Astegni", "no-reply", "astegni.example"), to="a@b.example", now=NOW)
    assert hidden(str(mail["Subject"])) == set()
    event = feed_event(
        feed_lesson(subject=words, notes=words, location=words, tutor=words), timezone="Africa/Addis_Ababa"
    )
    (component,) = icalendar.Calendar.from_ical(render_calendar(f"x{words}", [event], home="UTC")).walk("VEVENT")
    for name in ("SUMMARY", "DESCRIPTION", "LOCATION"):
        assert hidden(str(component.get(name, ""))) == set()


def feed_lesson(**values: Any) -> FeedLesson:
    fields: dict[str, Any] = {
        **dict.fromkeys(("grade_level", "session_format", "recurrence_pattern", "meeting_link", "location", "notes")),
        "subject": None,
        "view": "student",
        "id": 7,
        "tutor": "A",
        "students": (),
        "is_slot": False,
        "timezone": None,
        "status": "scheduled",
        "sequence": 1,
        **dict.fromkeys(("starts_at", "created_at", "updated_at"), NOW),
        "ends_at": NOW + timedelta(hours=1),
    }
    return FeedLesson(**(fields | values))


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://meet.example/abc", "meet.example"),
        (" https://Meet.Example:8443/a?b=c#d ", "meet.example:8443"),
        ("https://astegni.et.evil.example/https://astegni.et", "astegni.et.evil.example"),
        ("https://xn--stegni-3fg.et/", "xn--stegni-3fg.et"),
        ("http://meet.example/abc", None),
        ("https://astegni.et@evil.example/", None),
        ("https://astegni.et:x@evil.example/", None),
        ("https://astegni.et\\@evil.example/", None),
        ("https://astegni.et\\.evil.example/", None),
        ("https://\u0430stegni.et/", None),
        ("https://astegni\u3002et/", None),
        ("https://evil.example%2f.astegni.et/", None),
        ("https://localhost/", None),
        ("https://[::1]/", None),
        ("https:///x", None),
        ("javascript:alert(1)", None),
        ("https://a.example/\u202e", None),
        ("https://a.example/\r\nBcc: x", None),
        ("https://a.example/" + "x" * 500, None),
        ("Zoom 123 456", None),
        ("", None),
    ],
)
def test_links_of_others(address: str, host: str | None) -> None:
    link = foreign_link(address)
    assert (link and link.host) == host
    message = render("lesson-reminder", lesson("Bole") | {"meeting_link": address}, READER)
    assert (f"Online meeting, link from the tutor to {host}: {link and link.address}" in message.text) == (
        link is not None
    )
    assert ("<a href" in message.html) == (link is not None)
    event = feed_event(feed_lesson(meeting_link=address), timezone="UTC")
    marked = f"{host} (link from the tutor): {link.address}" if link else ""
    assert (event.description, event.location, event.url) == (marked, marked, "")


_WORDS = ("https://", "a.example", "astegni.et", "@", ":", "/", "\\", "?", "#", "%2f", "%40", "443", ".", "[", "]")
PIECES = st.lists(st.sampled_from(_WORDS), max_size=8)


@settings(deadline=None)
@given(PIECES)
def test_the_host_that_is_named_is_the_host_that_is_asked(pieces: list[str]) -> None:
    link = foreign_link("https://" + "".join(pieces))
    if link is not None:
        url = httpx2.URL(link.address)
        assert url.scheme == "https"
        assert url.host == link.host.partition(":")[0]
        assert not url.userinfo


def test_a_place_that_is_a_link_is_marked_too() -> None:
    data = lesson("Bole") | {"location": "https://maps.example/x"}
    assert (
        "Place, link from the tutor to maps.example: https://maps.example/x\n"
        in render("lesson-reminder", data, READER).text
    )
    plain = render("lesson-reminder", data | {"location": "http://maps.example/x"}, READER)
    assert "Place: http: maps. example/x\n" in plain.text
    assert "<a href" not in plain.html


def test_notes_in_a_calendar_hold_no_link() -> None:
    event = feed_event(feed_lesson(notes="Pay at https://evil.example/now\nor www.evil.example"), timezone="UTC")
    assert event.description == "Pay at https: evil. example/now\nor www. evil. example"

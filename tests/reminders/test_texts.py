"""What messages say: every kind in both languages and calendars, and what names can do to them (nothing)."""

import html as html_entities
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from html.parser import HTMLParser
from typing import Any

import icalendar
import pytest
from jinja2 import meta

from models.states import MESSAGE_KINDS
from worker.foreign_text import clean
from worker.reminders.texts import amharic, english
from worker.reminders.texts.attachments import METHODS, attachment
from worker.reminders.texts.data import DATA
from worker.reminders.texts.facts import InvalidMessageData, facts
from worker.reminders.texts.recipient import CalendarStyle, Language, Recipient
from worker.reminders.texts.render import _environment, render
from worker.reminders.texts.spans import about, exactly
from worker.schedules.feeds.events import FeedLesson, feed_event

ADDIS = "Africa/Addis_Ababa"
LANGUAGES: tuple[Language, ...] = ("en", "am")
CALENDARS: tuple[CalendarStyle, ...] = ("gregorian", "ethiopian")

LESSON: dict[str, Any] = {
    "schedule_id": 7,
    "view": "student",
    "starts_at": "2026-11-14T11:00:00+00:00",
    "timezone": ADDIS,
    "tutor": "Abebe Kebede",
    "students": ["Liya Tesfaye"],
}
STORED = LESSON | {
    "ends_at": "2026-11-14T12:30:00+00:00",
    "sequence": 2,
    "created_at": "2026-05-01T08:00:00+00:00",
    "updated_at": "2026-06-01T09:30:00+00:00",
}
# Nothing but what is required.
LEAST: dict[str, dict[str, Any]] = {
    "lesson-reminder": STORED | {"minutes_left": 15},
    "entry-reminder": {
        "entry_id": 4,
        "title": "Own study",
        "starts_at": "2026-11-14T11:00:00+00:00",
        "ends_at": "2026-11-14T12:30:00+00:00",
        "timezone": ADDIS,
        "minutes_left": 15,
    },
    "lesson-moved": STORED | {"before_starts_at": "2026-11-13T05:00:00+00:00"},
    "lesson-cancelled": STORED,
    "lesson-restored": STORED,
    "lesson-booked": STORED,
    "request-received": {"request_id": 3, "requester": "Tesfaye Alemu"},
    "request-accepted": {"request_id": 3, "tutor": "Abebe Kebede"},
    "request-rejected": {"request_id": 3, "tutor": "Abebe Kebede"},
    "booking-offered": {"booking_id": 3, "tutor": "Abebe Kebede"},
    "booking-accepted": {"booking_id": 3},
    "booking-ended": {"booking_id": 3},
    "recording-ready": {"recording_id": 5, "session_id": 4},
    "recording-failed": {
        "recording_id": 5,
        "session_id": 4,
        "reason": "The recording is longer than 6 hours. Cut it and upload the parts one by one.",
        "reason_code": "too-long",
        "kept": True,
    },
    "channel-code": {"code": "482913", "minutes": 15},
    "channel-disabled": {"label": "l…@example.org"},
    "test": {},
}
LINKS = {"meeting_link": "https://meet.example/abc", "board_link": "https://board.example/7"}
MOST: dict[str, dict[str, Any]] = {
    "lesson-reminder": {"subject": "Mathematics", "location": "Bole", **LINKS},
    "entry-reminder": {},
    "lesson-moved": {"subject": "Mathematics", "location": "Bole", **LINKS, "by": "Abebe Kebede", "count": 1},
    "lesson-cancelled": {"subject": "Mathematics", "location": "Bole", **LINKS, "by": "Liya Tesfaye", "count": 12},
    "lesson-restored": {"subject": "Mathematics", "location": "Bole", **LINKS, "count": 1},
    "lesson-booked": {"subject": "Mathematics", "location": "Bole", **LINKS, "by": "Tesfaye Alemu"},
    "request-received": {"student": "Liya", "package_name": "Weekend", "message": "Soon?", "link": "https://a.example"},
    "request-accepted": {"student": "Liya", "package_name": "Weekend", "link": "https://a.example"},
    "request-rejected": {"student": "Liya", "package_name": "Weekend", "link": "https://a.example"},
    "booking-offered": {"student": "Liya", "link": "https://a.example"},
    "booking-accepted": {"student": "Liya", "link": "https://a.example"},
    "booking-ended": {"student": "Liya", "link": "https://a.example"},
    "recording-ready": {
        "title": "Fractions",
        "recorded_at": "2026-06-16T11:00:00+00:00",
        "timezone": ADDIS,
        "missing": ["cut-off", "gap"],
        "link": "https://a.example",
    },
    "recording-failed": {"title": "Fractions", "recorded_at": "2026-06-16T11:00:00+00:00", "timezone": ADDIS},
    "channel-code": {},
    "channel-disabled": {"reason": "no such user", "link": "https://a.example", "of_account": False},
    "test": {"label": "l…@example.org"},
}


def full(kind: str, **changes: Any) -> dict[str, Any]:
    return LEAST[kind] | MOST[kind] | changes


def reader(language: Language = "en", calendar: CalendarStyle = "gregorian", **changes: Any) -> Recipient:
    values: dict[str, Any] = {"name": "Liya Tesfaye", "timezone": ADDIS} | changes
    return Recipient(language=language, calendar=calendar, **values)


class Page(HTMLParser):
    """What a browser makes of a page: its tags, its words, and where its links lead."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.words = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_every_kind_has_its_data_and_its_templates() -> None:
    assert set(DATA) == set(MESSAGE_KINDS) == set(LEAST) == set(MOST)
    for kind in MESSAGE_KINDS:
        assert LEAST[kind].keys() == DATA[kind].__required_keys__, kind
        assert MOST[kind].keys() == DATA[kind].__optional_keys__, kind
        for language in LANGUAGES:
            _environment("html", language).get_template(f"{language}/{kind}.j2")


@pytest.mark.parametrize("kind", MESSAGE_KINDS)
def test_templates_name_only_what_they_are_given(kind: str) -> None:
    for language in LANGUAGES:
        environment = _environment("text", language)
        loader = environment.loader
        assert loader is not None
        known_names = facts(kind, LEAST[kind], reader(language)).keys() | {"layout", "part", "colon"}
        for name in (kind, "base", *(("phrases",) if kind.startswith("lesson-") else ())):
            source = loader.get_source(environment, f"{language}/{name}.j2")[0]
            used_names = meta.find_undeclared_variables(environment.parse(source))
            assert used_names - {"phrases"} <= known_names | {"by", "count"}, (language, name)


@pytest.mark.parametrize("calendar", CALENDARS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", MESSAGE_KINDS)
def test_every_kind_is_said_with_least_and_most(kind: str, language: Language, calendar: CalendarStyle) -> None:
    for data in (LEAST[kind], full(kind), LEAST[kind] | dict.fromkeys(MOST[kind])):
        message = render(kind, data, reader(language, calendar))
        page = Page(message.html)
        for words in (message.subject, message.summary, message.text, page.words):
            assert words.strip()
            assert not re.search(r"None|Undefined|[{}]|\S {2,}\S| [.,።፣]|&#?\w+;", words)
            assert (re.search("[\u1200-\u137f]", words) is not None) == (language == "am")
        assert "\n" not in message.subject + message.summary
        assert "\n\n\n" not in message.text
        assert message.summary.split("።" if language == "am" else ". ")[0] in message.text
        assert set(page.tags) <= {"html", "head", "meta", "title", "body", "table", "tr", "td", "h1", "span", "strong",
                                  "br", "a"}  # fmt: skip
        assert f'<html lang="{language}">' in message.html
        # The text is complete by itself: every link of the page stands in it.
        assert all(address in message.text for address in page.links)


ENGLISH_REMINDER = """\
Hello Liya Tesfaye,

Your Mathematics lesson with Abebe Kebede starts in 15 minutes.

When: Saturday, 5 Hidar 2019, 8:00 in the afternoon (14:00)
Length: 1 hour 30 minutes
Place: Bole
Online meeting, link from the tutor to meet.example: https://meet.example/abc

Open the whiteboard:
https://board.example/7

--
You can change when and how Astegni tells you things in your notification settings.
"""
AMHARIC_MOVE = """\
ጤና ይስጥልኝ ሊያ ተስፋዬ፣

ከአበበ ከበደ ጋር ያለዎት የሒሳብ ትምህርት ጊዜ ተቀይሯል። ጊዜውን የቀየሩት አስተማሪው ናቸው።

የቀድሞው ጊዜ፦ ዓርብ፣ ኅዳር 4 ቀን 2019 ዓ.ም.፣ ከጠዋቱ 2:00 ሰዓት (08:00)
አዲሱ ጊዜ፦ ቅዳሜ፣ ኅዳር 5 ቀን 2019 ዓ.ም.፣ ከሰዓት በኋላ 8:00 ሰዓት (14:00)
የሚወስደው ጊዜ፦ 1 ሰዓት ከ30 ደቂቃ
ቦታ፦ ቦሌ
የኦንላይን መገናኛ፣ ከአስተማሪው የተላከ ሊንክ፣ meet.example፦ https://meet.example/abc

ነጭ ሰሌዳውን ይክፈቱ፦
https://board.example/7

--
መልእክቶች መቼና እንዴት እንደሚደርሱዎት በAstegni የማሳወቂያ ቅንብሮችዎ መቀየር ይችላሉ።
"""


def test_whole_text_of_an_english_reminder() -> None:
    message = render("lesson-reminder", full("lesson-reminder"), reader("en", "ethiopian"))
    assert message.subject == "Mathematics with Abebe Kebede starts in 15 minutes"
    assert message.text == ENGLISH_REMINDER
    page = Page(message.html)
    assert page.links == ["https://meet.example/abc", "https://board.example/7"]
    assert "Saturday, 5 Hidar 2019, 8:00 in the afternoon (14:00)" in page.words


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["lesson-moved", "lesson-restored"])
def test_many_lessons_have_no_board_of_their_own(kind: str, language: Language) -> None:
    links = {count: Page(render(kind, full(kind, count=count), reader(language)).html).links for count in (1, 2)}
    assert links == {1: ["https://meet.example/abc", "https://board.example/7"], 2: ["https://meet.example/abc"]}


def test_whole_text_of_an_amharic_move() -> None:
    people = {"subject": "ሒሳብ", "tutor": "አበበ ከበደ", "by": "አበበ ከበደ", "location": "ቦሌ"}
    message = render("lesson-moved", full("lesson-moved", **people), reader("am", "ethiopian", name="ሊያ ተስፋዬ"))
    assert message.subject == "ጊዜው ተቀይሯል፦ የሒሳብ ትምህርት ከአበበ ከበደ ጋር"
    assert message.text == AMHARIC_MOVE


@pytest.mark.parametrize(
    ("kind", "changes", "summary"),
    [
        ("lesson-reminder", {"view": "tutor", "students": ["Liya", "Sara"]},
         "Your Mathematics lesson with Liya and Sara starts in 15 minutes. Saturday, 14 November 2026, 14:00."),
        ("lesson-reminder", {"view": "parent", "minutes_left": 0},
         "Liya Tesfaye\u2019s Mathematics lesson with Abebe Kebede starts now. Saturday, 14 November 2026, 14:00."),
        ("lesson-reminder", {"view": "tutor", "students": ["A", "B", "C", "D", "E"], "subject": None},
         "Your lesson with A, B and 3 others starts in 15 minutes. Saturday, 14 November 2026, 14:00."),
        ("lesson-reminder", {"view": "tutor", "students": []},
         "Your Mathematics lesson with your students starts in 15 minutes. Saturday, 14 November 2026, 14:00."),
        ("entry-reminder", {},
         "“Own study” of your timetable starts in 15 minutes. Saturday, 14 November 2026, 14:00."),
        ("entry-reminder", {"title": " ", "minutes_left": 0},
         "An entry of your timetable starts now. Saturday, 14 November 2026, 14:00."),
        ("lesson-moved", {"count": 3, "by": None},
         ("Your 3 Mathematics lessons with Abebe Kebede have been moved. "
          "The first is now: Saturday, 14 November 2026, 14:00.")),
        ("lesson-cancelled", {},
         ("Your 12 Mathematics lessons with Abebe Kebede have been cancelled by Liya Tesfaye. "
          "The first was to be: Saturday, 14 November 2026, 14:00.")),
        ("lesson-cancelled", {"count": 1, "view": "parent", "students": [], "by": None},
         ("Your child\u2019s Mathematics lesson with Abebe Kebede has been cancelled. "
          "It was to be: Saturday, 14 November 2026, 14:00.")),
        ("lesson-restored", {"count": 4},
         ("Your 4 Mathematics lessons with Abebe Kebede take place after all. "
          "The first one starts: Saturday, 14 November 2026, 14:00.")),
        ("lesson-restored", {"view": "parent"},
         ("Liya Tesfaye\u2019s Mathematics lesson with Abebe Kebede takes place after all. "
          "It starts: Saturday, 14 November 2026, 14:00.")),
        ("lesson-booked", {"view": "tutor"},
         ("Your Mathematics lesson with Liya Tesfaye has been booked by Tesfaye Alemu. "
          "Saturday, 14 November 2026, 14:00.")),
        ("lesson-booked", {"view": "tutor", "by": "Liya Tesfaye"},
         "Your Mathematics lesson with Liya Tesfaye has been booked. Saturday, 14 November 2026, 14:00."),
        ("request-received", {}, "Tesfaye Alemu asks you to teach Liya."),
        ("request-received", {"student": "Tesfaye Alemu"}, "Tesfaye Alemu would like to learn with you."),
        ("request-rejected", {"student": None}, "Abebe Kebede cannot take your request. You can ask another tutor."),
        ("recording-ready", {"title": None, "missing": []}, "The recording of your lesson is ready to watch."),
    ],
)  # fmt: skip
def test_english_sentences(kind: str, changes: dict[str, Any], summary: str) -> None:
    assert render(kind, full(kind, **changes), reader()).summary == summary


@pytest.mark.parametrize(
    ("kind", "changes", "summary"),
    [
        ("lesson-reminder", {"view": "tutor", "students": ["ሊያ", "ሳራ"]},
         "ከሊያ እና ሳራ ጋር ያለዎት የሒሳብ ትምህርት ከ15 ደቂቃ በኋላ ይጀምራል። ቅዳሜ፣ ኅዳር 5 ቀን 2019 ዓ.ም.፣ ከሰዓት በኋላ 8:00 ሰዓት (14:00)።"),
        ("lesson-reminder", {"view": "parent", "students": ["ሊያ"], "minutes_left": 60},
         ("ልጅዎ ሊያ ከአበበ ጋር የሚማሩት የሒሳብ ትምህርት ከአንድ ሰዓት በኋላ ይጀምራል። "
          "ቅዳሜ፣ ኅዳር 5 ቀን 2019 ዓ.ም.፣ ከሰዓት በኋላ 8:00 ሰዓት (14:00)።")),
        ("lesson-reminder", {"minutes_left": -1, "subject": None},
         "ከአበበ ጋር ያለዎት ትምህርት አሁን ይጀምራል። ቅዳሜ፣ ኅዳር 5 ቀን 2019 ዓ.ም.፣ ከሰዓት በኋላ 8:00 ሰዓት (14:00)።"),
        ("lesson-cancelled", {"view": "parent", "students": ["ሊያ", "ሳራ"], "by": "አበበ"},
         ("ልጆችዎ ሊያ እና ሳራ ከአበበ ጋር የሚማሩት 12 የሒሳብ ትምህርቶች ተሰርዘዋል። የሰረዙት አስተማሪው ናቸው። "
          "የመጀመሪያው ሊጀመር የነበረው፦ ቅዳሜ፣ ኅዳር 5 ቀን 2019 ዓ.ም.፣ ከሰዓት በኋላ 8:00 ሰዓት (14:00)።")),
        ("lesson-restored", {"count": 12},
         ("ከአበበ ጋር ያሉዎት 12 የሒሳብ ትምህርቶች መሰረዛቸው ቀርቶ ይካሄዳሉ። "
          "የመጀመሪያው የሚጀምርበት ጊዜ፦ ቅዳሜ፣ ኅዳር 5 ቀን 2019 ዓ.ም.፣ ከሰዓት በኋላ 8:00 ሰዓት (14:00)።")),
        ("lesson-booked", {"view": "tutor", "students": ["ሊያ"], "by": "ተስፋዬ"},
         ("ከሊያ ጋር ያለዎት የሒሳብ ትምህርት ተይዟል። የያዙት ተስፋዬ ናቸው። "
          "ቅዳሜ፣ ኅዳር 5 ቀን 2019 ዓ.ም.፣ ከሰዓት በኋላ 8:00 ሰዓት (14:00)።")),
    ],
)  # fmt: skip
def test_amharic_sentences(kind: str, changes: dict[str, Any], summary: str) -> None:
    data = full(kind, subject="ሒሳብ", tutor="አበበ") | changes
    assert render(kind, data, reader("am", "ethiopian")).summary == summary


@pytest.mark.parametrize(
    ("minutes", "in_english", "in_amharic"),
    [
        (-5, "now", "አሁን"),
        (0, "now", "አሁን"),
        (1, "in a minute", "ከአንድ ደቂቃ በኋላ"),
        (15, "in 15 minutes", "ከ15 ደቂቃ በኋላ"),
        (58, "in 58 minutes", "ከ58 ደቂቃ በኋላ"),
        (60, "in an hour", "ከአንድ ሰዓት በኋላ"),
        (62, "in an hour", "ከአንድ ሰዓት በኋላ"),
        (90, "in 1 hour 30 minutes", "ከ1 ሰዓት ከ30 ደቂቃ በኋላ"),
        (1438, "in a day", "ከአንድ ቀን በኋላ"),
        (1440, "in a day", "ከአንድ ቀን በኋላ"),
        (1560, "in 1 day 2 hours", "ከ1 ቀን ከ2 ሰዓት በኋላ"),
        (40320, "in 28 days", "ከ28 ቀን በኋላ"),
    ],
)
def test_how_long_until(minutes: int, in_english: str, in_amharic: str) -> None:
    assert english.until(about(minutes)) == in_english
    assert amharic.until(about(minutes)) == in_amharic


def test_length_is_said_to_the_minute() -> None:
    assert english.span(exactly(63)) == "1 hour 3 minutes"
    assert amharic.span(exactly(63)) == "1 ሰዓት ከ3 ደቂቃ"


@pytest.mark.parametrize(
    ("hour", "in_english", "in_amharic"),
    [
        (0, "6:05 at night (00:05)", "ከሌሊቱ 6:05 ሰዓት (00:05)"),
        (6, "12:05 in the morning (06:05)", "ከጠዋቱ 12:05 ሰዓት (06:05)"),
        (9, "3:05 in the morning (09:05)", "ከጠዋቱ 3:05 ሰዓት (09:05)"),
        (12, "6:05 in the afternoon (12:05)", "ከቀኑ 6:05 ሰዓት (12:05)"),
        (17, "11:05 in the afternoon (17:05)", "ከሰዓት በኋላ 11:05 ሰዓት (17:05)"),
        (19, "1:05 in the evening (19:05)", "ከምሽቱ 1:05 ሰዓት (19:05)"),
    ],
)
def test_both_clocks_stand_together(hour: int, in_english: str, in_amharic: str) -> None:
    local = datetime(2026, 11, 14, hour, 5, tzinfo=UTC)
    assert english.clock(local.time(), "ethiopian") == in_english
    assert english.clock(local.time(), "gregorian") == f"{hour:02}:05"
    assert amharic.clock(local.time(), "ethiopian") == in_amharic
    ethiopian = in_amharic.partition(" (")[0]
    assert amharic.clock(local.time(), "gregorian") == f"{hour:02}:05 (በኢትዮጵያ አቆጣጠር {ethiopian})"


@pytest.mark.parametrize(
    ("day", "gregorian", "ethiopian", "english_ethiopian"),
    [
        ("2026-09-11", "ዓርብ፣ ሴፕቴምበር 11 ቀን 2026 (እ.ኤ.አ.)", "ዓርብ፣ መስከረም 1 ቀን 2019 ዓ.ም.", "Friday, 1 Meskerem 2019"),
        ("2027-09-11", "ቅዳሜ፣ ሴፕቴምበር 11 ቀን 2027 (እ.ኤ.አ.)", "ቅዳሜ፣ ጳጉሜን 6 ቀን 2019 ዓ.ም.", "Saturday, 6 Pagume 2019"),
        ("2026-01-07", "ረቡዕ፣ ጃንዩወሪ 7 ቀን 2026 (እ.ኤ.አ.)", "ረቡዕ፣ ታኅሣሥ 29 ቀን 2018 ዓ.ም.", "Wednesday, 29 Tahsas 2018"),
    ],
)
def test_days(day: str, gregorian: str, ethiopian: str, english_ethiopian: str) -> None:
    local = datetime.fromisoformat(day).date()
    assert amharic.day(local, "gregorian") == gregorian
    assert amharic.day(local, "ethiopian") == ethiopian
    assert english.day(local, "ethiopian") == english_ethiopian


@pytest.mark.parametrize(
    ("zone", "home", "time_text"),
    [
        (ADDIS, ADDIS, "Saturday, 14 November 2026, 14:00"),
        ("America/New_York", ADDIS, "Saturday, 14 November 2026, 06:00, New York time (UTC-5)"),
        (" america/new_york", ADDIS, "Saturday, 14 November 2026, 06:00, New York time (UTC-5)"),
        ("Asia/Kolkata", ADDIS, "Saturday, 14 November 2026, 16:30, Kolkata time (UTC+5:30)"),
        ("Pacific/Kiritimati", ADDIS, "Sunday, 15 November 2026, 01:00, Kiritimati time (UTC+14)"),
        ("UTC", ADDIS, "Saturday, 14 November 2026, 11:00, UTC"),
        ("Etc/GMT-3", ADDIS, "Saturday, 14 November 2026, 14:00, UTC+3"),
        (ADDIS, None, "Saturday, 14 November 2026, 14:00, Addis Ababa time (UTC+3)"),
        ("Mars/../etc/passwd", ADDIS, "Saturday, 14 November 2026, 14:00"),
        ("", "nowhere", "Saturday, 14 November 2026, 11:00, UTC"),
    ],
)
def test_times_are_the_readers_and_the_zone_is_named_unless_it_is_the_lessons(
    zone: str, home: str | None, time_text: str
) -> None:
    message = render("lesson-reminder", full("lesson-reminder", timezone=home), reader(timezone=zone))
    assert f"When: {time_text}\n" in message.text


def test_zone_is_named_in_amharic() -> None:
    message = render("lesson-cancelled", STORED | {"timezone": "America/New_York"}, reader("am", "ethiopian"))
    assert "ከሰዓት በኋላ 8:00 ሰዓት (14:00)፣ በአዲስ አበባ ሰዓት (UTC+3)" in message.text


HOSTILE = {
    "template": "{{7*7}}{% raw %}${7*7}#{7*7}",
    "script": "<script>alert(1)</script>",
    "attribute": "\" onmouseover=\"alert(1)' onload='x",
    "header": "Abebe\r\nBcc: x@evil.example\r\n\r\n<b>body",
    "line ends": "A\u2028B\u2029C\x85D\x0bE\x0cF",
    "right to left": "\u202etxt.exe\u202c\u2066x\u2069\u200f\u061c",
    "zero": "A\x00B\x1b[31mC\x7f",
    "novel": "ለ" * 10_240,
    "long invisible": "\u200b" * 10_240 + "x",
    "half": "A\ud800B",
    "entity": "&lt;b&gt; &amp;",
    "address": "https://evil.example/login www.evil.example evil.example me@evil.example javascript://x",
    "calendar": "x\nEND:VEVENT\nBEGIN:VEVENT",
}
# Every key that holds words of people.
PEOPLES = ("tutor", "subject", "by", "requester", "student", "package_name", "message", "title", "location", "reason")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", MESSAGE_KINDS)
def test_nothing_that_people_write_is_obeyed(kind: str, name: str, language: Language) -> None:
    words = HOSTILE[name]
    data = full(kind)
    harmless = render(kind, data, reader(language))
    data |= {key: words for key in PEOPLES if key in data}
    data |= {"students": [words] * 2} if "students" in data else {}
    rendering = render(kind, data, reader(language, name=words))

    for line in (
        rendering.subject,
        rendering.summary,
        rendering.text.replace("\n", ""),
        rendering.html.replace("\n", ""),
    ):
        assert line.isprintable()
        line.encode()  # no halves of characters
    assert "49" not in (rendering.subject + rendering.text).replace("482913", "")
    assert len(rendering.subject) <= 200
    assert len(rendering.text) < 5_000
    assert "evil.example" not in rendering.subject + rendering.summary + rendering.text + rendering.html
    assert "://evil" not in rendering.text + rendering.html

    page, usual = Page(rendering.html), Page(harmless.html)
    assert set(page.tags) <= set(usual.tags)
    assert page.attributes == usual.attributes
    assert page.links == usual.links
    # As many lines as usual: nobody adds one.
    assert rendering.text.count("\n") <= harmless.text.count("\n")

    message = EmailMessage(policy=SMTP)
    message["Subject"] = rendering.subject
    message.set_content(rendering.text)
    message.add_alternative(rendering.html, subtype="html")
    octets = message.as_bytes()
    assert b"\nbcc" not in octets.partition(b"\r\n\r\n")[0].lower()
    assert max(map(len, octets.split(b"\r\n"))) <= 998


def test_names_are_shown_as_they_are() -> None:
    name = "{{7*7}} <b>O'Neil & Söhne</b>"
    message = render("request-received", {"request_id": 1, "requester": name}, reader())
    assert message.subject == f"New request from {name}"
    assert f"{name} would like" in message.text
    assert "&lt;b&gt;" in message.html
    assert html_entities.unescape(message.html).count(name) == 2  # title, sentence


def test_the_code_reveals_nothing_of_the_account() -> None:
    message = render("channel-code", LEAST["channel-code"], reader(name="Buy at evil.example"))
    assert "Buy" not in message.subject + message.summary + message.text + message.html
    assert "482913" in message.subject
    assert "482913" in message.summary


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://meet.example/a b", None),
        (" http://meet.example/a?b=c&d=<e>\"'", "http://meet.example/a?b=c&d=%3Ce%3E%22'"),
        ("HTTPS://meet.example", "HTTPS://meet.example"),
        ("javascript:alert(1)", None),
        ("https://a.example/\r\nBcc: x", None),
        ("https://a.example/" + "x" * 500, None),
    ],
)
def test_links_of_the_operator_s_settings(address: str, safe: str | None) -> None:
    message = render("recording-ready", LEAST["recording-ready"] | {"link": address}, reader())
    assert Page(message.html).links == ([safe] if safe else [])


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("  Abebe \t Kebede\n", "Abebe Kebede"),
        ("Dr. A.B. Kebede", "Dr. A. B. Kebede"),
        ("1.5 l", "1.5 l"),
        ("http://evil.com/x.y", "http: evil. com/x. y"),
        ("x.\u200dcom x。com", "x. com x. com"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("ab" * 10, "abababababababababab"),
        ("ab" * 11, "ababababababababab" + "a…"),
        ("\u200b" * 50 + "x", ""),
    ],
)
def test_cleansing(words: str, line: str) -> None:
    assert clean(words, 20) == line


@pytest.mark.parametrize("kind", MESSAGE_KINDS)
def test_missing_facts_are_told_by_name(kind: str) -> None:
    for key in LEAST[kind]:
        data = {name: value for name, value in LEAST[kind].items() if name != key}
        with pytest.raises(InvalidMessageData, match=key):
            render(kind, data, reader())


def test_templates_refuse_what_they_are_not_given() -> None:
    known = facts("test", {}, reader())
    del known["label"]
    with pytest.raises(Exception, match="'label' is undefined"):
        _environment("html", "en").get_template("en/test.j2").render(known, layout="text.j2")


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("lesson-reminder", {"starts_at": "2026-11-14T11:00:00"}),
        ("lesson-reminder", {"starts_at": "tomorrow"}),
        ("lesson-reminder", {"starts_at": None}),
        ("lesson-reminder", {"minutes_left": "soon"}),
        ("lesson-reminder", {"students": None}),
        ("lesson-reminder", {"tutor": 5}),
        ("lesson-reminder", {"starts_at": "9999-12-31T23:59:00+00:00"}),
        ("unheard-of", {}),
    ],
)
def test_wrong_facts_are_one_error(kind: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidMessageData) as caught:
        render(kind, LEAST["lesson-reminder"] | changes, reader())
    assert not caught.value.retryable


def test_unwritable_instants_of_the_file_are_the_same_error() -> None:
    with pytest.raises(InvalidMessageData):
        file_of("lesson-reminder", updated_at="yesterday")


def file_of(kind: str, language: Language = "en", **changes: Any) -> bytes | None:
    return attachment(kind, full(kind, **changes), reader(language), organizer="no-reply+a@astegni.example")


@pytest.mark.parametrize("kind", MESSAGE_KINDS)
def test_only_single_lessons_have_a_file(kind: str) -> None:
    assert (file_of(kind, count=1) is not None) == (kind in METHODS)
    for grouped in ("lesson-moved", "lesson-restored", "lesson-cancelled"):
        assert file_of(grouped, count=2) is None


@pytest.mark.parametrize(("language", "summary"), [("en", "Cancelled: Physics, Abebe Kebede"),
                                                   ("am", "ተሰርዟል: Physics, Abebe Kebede")])  # fmt: skip
def test_file_of_a_cancelled_lesson_cancels_it(language: Language, summary: str) -> None:
    octets = file_of("lesson-cancelled", language, count=1, subject="Physics")
    assert octets is not None
    calendar = icalendar.Calendar.from_ical(octets)
    assert calendar["METHOD"] == "CANCEL"
    event: Any
    (event,) = calendar.walk("VEVENT")
    assert (event["UID"], event["SEQUENCE"]) == ("lesson-7@astegni", 2)
    assert (event["STATUS"], event["TRANSP"]) == ("CANCELLED", "TRANSPARENT")
    assert event["ORGANIZER"] == "mailto:no-reply+a@astegni.example"
    assert event["DTSTART"].dt == datetime(2026, 11, 14, 11, 0, tzinfo=UTC)
    assert event["SUMMARY"] == summary


def test_file_is_the_lesson() -> None:
    octets = file_of("lesson-moved")
    assert octets is not None
    calendar = icalendar.Calendar.from_ical(octets)
    assert calendar["METHOD"] == "PUBLISH"
    # With a name Outlook would open a calendar of its own.
    assert "X-WR-CALNAME" not in calendar
    assert [str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")] == [ADDIS]
    event: Any
    (event,) = calendar.walk("VEVENT")
    assert event["DTSTART"].dt == datetime(2026, 11, 14, 11, 0, tzinfo=UTC)
    assert event["DTEND"].dt == datetime(2026, 11, 14, 12, 30, tzinfo=UTC)
    assert event["SEQUENCE"] == 2
    assert event["SUMMARY"] == "Mathematics, Abebe Kebede"
    assert event["LOCATION"] == "Bole"
    assert event["URL"] == "https://board.example/7"
    assert event["DESCRIPTION"] == (
        "meet.example (link from the tutor): https://meet.example/abc\nhttps://board.example/7"
    )
    assert event["STATUS"] == "CONFIRMED"
    # RFC 5546 §3.2.1 requires it.
    assert event["ORGANIZER"] == "mailto:no-reply+a@astegni.example"


def test_file_of_a_parent_names_the_child_and_needs_no_subject() -> None:
    octets = file_of("lesson-reminder", "am", view="parent", subject=None)
    assert octets is not None
    assert "SUMMARY:Liya Tesfaye: ትምህርት\\, Abebe Kebede" in octets.decode()


def test_file_and_feed_are_the_same_event_to_a_calendar() -> None:
    instants = {"starts_at": "starts_at", "ends_at": "ends_at", "created_at": "created_at", "updated_at": "updated_at"}
    times: dict[str, Any] = {name: datetime.fromisoformat(STORED[key]) for name, key in instants.items()}
    texts = ("subject", "grade_level", "session_format", "recurrence_pattern", "meeting_link", "location", "notes")
    empty: dict[str, Any] = dict.fromkeys(texts)
    lesson = FeedLesson(view="student", id=7, tutor="A", students=(), is_slot=False, timezone=ADDIS, status="scheduled",
                        sequence=2, **times, **empty)  # fmt: skip
    octets = file_of("lesson-reminder")
    assert octets is not None
    assert f"UID:{feed_event(lesson, timezone=ADDIS).uid}\r\n" in octets.decode()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_words_stay_within_their_event(name: str) -> None:
    changes: dict[str, Any] = {"subject": HOSTILE[name], "tutor": HOSTILE[name], "location": HOSTILE[name]}
    octets = file_of("lesson-reminder", **changes)
    assert octets is not None
    assert len(icalendar.Calendar.from_ical(octets).walk("VEVENT")) == 1
    assert octets.count(b"END:VEVENT\r\n") == 1
    assert all(len(line) <= 75 for line in octets.split(b"\r\n"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_missing_of_a_recording_is_said(language: Language) -> None:
    whole = render("recording-ready", full("recording-ready", missing=[]), reader(language))
    lost = ["gap", "damaged", "part-lost", "picture-lost", "sound-lost", "pictures-dropped", "sound-dropped"]
    for missing in (["cut-off"], lost):
        message = render("recording-ready", full("recording-ready", missing=missing), reader(language))
        assert len(message.summary) > len(whole.summary) + 8 * len(missing)


def test_a_failed_recording_says_why_and_whether_its_bytes_are_kept() -> None:
    message = render("recording-failed", full("recording-failed"), reader())
    assert "longer than 6 hours" in message.summary
    assert "is kept for some days" in message.text
    assert "kept" not in render("recording-failed", full("recording-failed", kept=False), reader()).text


def test_every_reason_of_a_failure_is_said_in_amharic() -> None:
    """A reason that is not listed gets the sentence about our own trouble."""
    reasons = {"empty", "not-a-recording", "missing-init", "no-playable-stream", "zero-length", "too-long"}
    reasons |= {"too-many-frames", "too-large-picture", "damaged", "unsupported-codec", "mixed-codecs", "too-complex"}
    texts = {render("recording-failed", full("recording-failed", reason_code=reason), reader("am")).text
            for reason in reasons | {"worker-lost"}}  # fmt: skip
    assert len(texts) == len(reasons) + 1
    for text in texts:
        assert "6 hours" not in text

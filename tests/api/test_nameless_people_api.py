"""People whose names are missing: lists, the calendar and messages have a word for them, never a part of the e-mail."""

from typing import Any

import pytest

from tests.api.conftest import ClientFor
from tests.api.schedules.test_schedules import ASKED, body, listed
from tests.conftest import School, Sql
from worker.reminders.texts.recipient import Language, Recipient
from worker.reminders.texts.render import render

SECRET = "hidden.person"


@pytest.fixture
def nameless(school: School, sql: Sql) -> School:
    """The school, whose people have e-mails and no names."""
    sql("UPDATE users SET first_name = NULL, email = :mail || id || '@example.org'", mail=SECRET)
    return school


def _teach(client_for: ClientFor, school: School) -> int:
    status, lesson = client_for(school.tutor).ask("POST", "/v1/schedules", body(school.booking_id))
    assert status == 201
    return int(lesson["schedule_id"])


@pytest.mark.parametrize(("username", "shown"), [(None, "Student"), ("liya7", "liya7"), (f"{SECRET}2", "Student")])
def test_lists_and_the_calendar(
    nameless: School, client_for: ClientFor, sql: Sql, username: str | None, shown: str
) -> None:
    sql("UPDATE student_profiles SET username = :name WHERE id = 22", name=username)
    _teach(client_for, nameless)

    assert [item["student_name"] for item in client_for(nameless.tutor).ask("GET", "/v1/me/students")[1]["items"]] == [
        shown
    ]
    for who in (nameless.tutor, nameless.student, nameless.parent):
        assert [item["student_name"] for item in listed(client_for(who), ASKED)] == [shown]
    for who, name in ((nameless.tutor, shown), (nameless.parent, f"{shown}:")):
        url = client_for(who).ask("POST", "/v1/me/calendar")[1]["url"]
        calendar = client_for(who).send("GET", "/v1" + url.partition("/v1")[2]).text
        assert f"SUMMARY:{'Mathematics with ' if who == nameless.tutor else ''}{name}" in calendar
        assert "X-WR-CALNAME:Astegni\r\n" in calendar
        assert SECRET not in calendar.replace("\r\n ", "")
    stored = str(sql("SELECT data FROM deliveries") + sql("SELECT student_name FROM tutor_schedules"))
    assert SECRET not in stored
    assert "Student" not in stored


@pytest.mark.parametrize(
    ("language", "kind", "data", "words"),
    [
        ("en", "booking-offered", {"tutor": "", "student": ""}, "A tutor would like to teach your child."),
        ("en", "booking-offered", {"tutor": ""}, "A tutor would like to teach you."),
        ("en", "request-received", {"requester": "", "student": ""}, "A parent asks you to teach a student."),
        ("en", "request-received", {"requester": ""}, "A student would like to learn with you."),
        ("en", "booking-accepted", {"student": ""}, "Your student is now your student."),
        ("am", "booking-offered", {"tutor": "", "student": ""}, "አንድ አስተማሪ ልጅዎን ለማስተማር ይፈልጋሉ።"),
        ("am", "request-received", {"requester": "", "student": ""}, "አንድ ወላጅ ለተማሪ ትምህርት እንዲሰጡ ጠይቀዎታል።"),
    ],
)
def test_messages(language: Language, kind: str, data: dict[str, Any], words: str) -> None:
    message = render(kind, {"booking_id": 1, "request_id": 1} | data, Recipient("", language, "UTC"))

    assert words in message.text
    assert "  " not in message.subject


@pytest.mark.parametrize(
    ("view", "students", "words"),
    [
        ("tutor", [""], "with your student"),
        ("tutor", ["", ""], "with your students"),
        ("tutor", ["Liya", ""], "with Liya and 1 other"),
        ("tutor", ["Liya", "", "", "Abel"], "with Liya, Abel and 2 others"),
        ("student", [""], "with your tutor"),
    ],
)
def test_students_of_a_lesson(view: str, students: list[str], words: str) -> None:
    lesson = {
        "schedule_id": 7,
        "view": view,
        "starts_at": "2026-11-14T11:00:00+00:00",
        "timezone": "UTC",
        "tutor": "",
        "students": students,
        "subject": "Mathematics",
        "ends_at": "2026-11-14T12:00:00+00:00",
        "sequence": 1,
        "created_at": "2026-05-01T08:00:00+00:00",
        "updated_at": "2026-06-01T09:30:00+00:00",
    }

    message = render("lesson-cancelled", lesson, Recipient("", "en", "UTC"))

    assert words in message.summary
    assert "Hello,\n" in message.text

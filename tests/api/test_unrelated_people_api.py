"""Every route that names another person: an unrelated person gets the same response as an id that does not exist."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.conftest import ApiClient, ClientFor
from tests.conftest import School, Sql

SESSIONS = "/v1/whiteboard/sessions"
NOBODY = 1_999_999_999
WHEN = {"schedule_date": "2027-01-04", "start_time": "10:00", "end_time": "11:00"}


def named(profile_type: str, profile_id: int) -> dict[str, Any]:
    return {"participant_profile_ids": [profile_id], "participant_profile_types": [profile_type]}


# Method, path, body, and the kind of row whose id stands in the path.
_OPERATIONS: tuple[tuple[str, str, Any, str], ...] = (
    ("GET", "/v1/bookings/{}", None, "booking"),
    ("PATCH", "/v1/bookings/{}", {"status": "cancelled"}, "booking"),
    ("POST", "/v1/bookings/{}/accept", None, "booking"),
    ("POST", "/v1/bookings/{}/decline", None, "booking"),
    ("POST", "/v1/bookings/{}/end", None, "booking"),
    ("GET", "/v1/session-requests/{}", None, "request"),
    ("POST", "/v1/session-requests/{}/accept", None, "request"),
    ("POST", "/v1/session-requests/{}/reject", None, "request"),
    ("GET", "/v1/schedules/{}", None, "lesson"),
    ("PATCH", "/v1/schedules/{}", {"notes": "x"}, "lesson"),
    ("POST", "/v1/schedules/{}/cancel", None, "lesson"),
    ("GET", "/v1/schedules/{}/alarms", None, "lesson"),
    ("PUT", "/v1/schedules/{}/alarms", {"alarms": []}, "lesson"),
    ("GET", "/v1/series/{}", None, "series"),
    ("POST", "/v1/series/{}/skip", {"dates": ["2027-01-04"]}, "series"),
    ("GET", SESSIONS + "/{}", None, "session"),
    ("GET", SESSIONS + "/{}/board", None, "session"),
    ("GET", SESSIONS + "/{}/pages", None, "session"),
    ("GET", SESSIONS + "/{}/snapshots", None, "session"),
    ("PATCH", SESSIONS + "/{}", {"session_title": "x"}, "session"),
    *(("POST", f"{SESSIONS}/{{}}/{verb}", None, "session") for verb in ("start", "end", "join", "leave")),
    *(("POST", f"{SESSIONS}/{{}}/{verb}", None, "session") for verb in ("snapshot", "replay", "combine")),
    ("POST", SESSIONS + "/{}/pages", {}, "session"),
    ("GET", "/v1/whiteboard/pages/{}", None, "page"),
    ("GET", "/v1/whiteboard/pages/{}/snapshots", None, "page"),
    *(("POST", f"/v1/whiteboard/pages/{{}}/{verb}", None, "page") for verb in ("activate", "clear", "snapshot")),
    ("GET", "/v1/recordings/{}", None, "recording"),
    ("GET", "/v1/recordings/{}/playback", None, "recording"),
    ("DELETE", "/v1/recordings/{}", None, "recording"),
    ("GET", "/v1/recordings/{}/storyboard.vtt", None, "recording"),
    ("GET", "/v1/recordings/{}/hls/master.m3u8", None, "recording"),
    ("GET", "/v1/recordings/{}/hls/360p.m3u8", None, "recording"),
    ("POST", "/v1/recordings/{}/renditions", {"names": ["720p"]}, "recording"),
    ("GET", "/v1/recordings/{}/chapters", None, "recording"),
    ("GET", "/v1/recordings/{}/chapters.vtt", None, "recording"),
    ("PUT", "/v1/recordings/{}/chapters", {"chapters": []}, "recording"),
    ("DELETE", "/v1/recordings/{}/chapters", None, "recording"),
    ("GET", "/v1/recordings/{}/search?q=a", None, "recording"),
    ("GET", "/v1/recordings/{}/captions", None, "recording"),
    ("GET", "/v1/recordings/{}/share", None, "recording"),
    ("POST", "/v1/recordings/{}/share", {}, "recording"),
    ("DELETE", "/v1/recordings/{}/share", None, "recording"),
    ("DELETE", "/v1/recordings/{}/share/1", None, "recording"),
    ("GET", "/v1/recordings/{}/captions/am", None, "recording"),
    ("GET", "/v1/recordings/{}/captions.am.vtt", None, "recording"),
    ("PUT", "/v1/recordings/{}/captions/am", None, "recording"),
    ("DELETE", "/v1/recordings/{}/captions/am", None, "recording"),
    ("GET", "/v1/recordings?session_id={}", None, "session"),
    ("GET", "/v1/me/channels/{}", None, "channel"),
    ("POST", "/v1/me/channels/{}/confirm", {"code": "012345"}, "channel"),
    ("DELETE", "/v1/me/channels/{}", None, "channel"),
    ("POST", "/v1/me/notifications/{}/read", None, "notification"),
    ("GET", "/v1/me/timetable/{}", None, "entry"),
    ("PATCH", "/v1/me/timetable/{}", {"title": "x"}, "entry"),
    ("DELETE", "/v1/me/timetable/{}", None, "entry"),
)


def _always(body: Any) -> Callable[[int], Any]:
    return lambda _id: body


# (who asks, method, path, body, what is foreign to them): "{}" in the path, or the value None in the body, is the id.
ROUTES: dict[str, tuple[str, str, str, Any, str]] = {
    "a tutor names a student": ("tutor", "POST", SESSIONS, lambda id_: named("student", id_), "student"),
    "a tutor names a tutor": ("tutor", "POST", SESSIONS, lambda id_: named("tutor", id_), "tutor"),
    "a tutor names a parent": ("tutor", "POST", SESSIONS, lambda id_: named("parent", id_), "parent"),
    "a student names a student": ("student", "POST", SESSIONS, lambda id_: named("student", id_), "student"),
    "a student names a tutor": ("student", "POST", SESSIONS, lambda id_: named("tutor", id_), "tutor"),
    "a student names a parent": ("student", "POST", SESSIONS, lambda id_: named("parent", id_), "parent"),
    "a session of a booking": ("tutor", "POST", SESSIONS, lambda id_: {"booking_id": id_}, "booking"),
    "a session of a lesson": ("tutor", "POST", SESSIONS, lambda id_: {"schedule_id": id_}, "lesson"),
    "lessons of a booking": ("tutor", "POST", "/v1/schedules", lambda id_: {"booking_id": id_, **WHEN}, "booking"),
    "a dry run of lessons": (
        "tutor",
        "POST",
        "/v1/schedules?dry_run=true",
        lambda id_: {"booking_id": id_, **WHEN},
        "booking",
    ),
    "a request for a child": (
        "parent",
        "POST",
        "/v1/session-requests",
        lambda id_: {"tutor_id": 11, "student_id": id_},
        "student",
    ),
    "a student's request for another": (
        "student",
        "POST",
        "/v1/session-requests",
        lambda id_: {"tutor_id": 11, "student_id": id_},
        "student",
    ),
    "a slot for a student": ("parent", "POST", "/v1/schedules/{slot}/book", lambda id_: {"student_id": id_}, "student"),
    "a slot of a booking": ("student", "POST", "/v1/schedules/{slot}/book", lambda id_: {"booking_id": id_}, "booking"),
    **{
        f"{method} {path} of {kind} by {who}": (who, method, path, _always(body), kind)
        for who in ("tutor", "student", "parent")
        for method, path, body, kind in _OPERATIONS
    },
}


@pytest.fixture
def foreign(school: School, client_for: ClientFor, sql: Sql) -> dict[str, int]:
    """What the other family has, by kind; and a free slot of tutor 11."""
    tutor, student = client_for(school.other_tutor), client_for(school.other_student)
    series = tutor.ask(
        "POST", "/v1/schedules", {"booking_id": school.other_booking_id, **WHEN, "recurrence_pattern": "every Monday"}
    )[1]
    session = tutor.ask("POST", SESSIONS, {"booking_id": school.other_booking_id})[1]
    channel = (
        "INSERT INTO notification_channels (user_id, kind, address, label) VALUES (5, 'email', 'x', 'x') RETURNING id"
    )
    message = "INSERT INTO notifications (user_id, kind, title, message) VALUES (5, 'test', 'x', 'x') RETURNING id"
    entry = (
        "INSERT INTO timetable_entries (user_id, title, year, start_time, end_time, timezone)"
        " VALUES (5, 'x', 2026, '09:00', '10:00', 'UTC') RETURNING id"
    )
    recording = "INSERT INTO whiteboard_session_recordings (session_id) VALUES (:id) RETURNING id"
    return {
        "student": 25,
        "tutor": 14,
        "parent": 36,
        "booking": school.other_booking_id,
        "request": student.ask("POST", "/v1/session-requests", {"tutor_id": 14})[1]["id"],
        "series": series["series_id"],
        "lesson": sql("SELECT min(id) FROM tutor_schedules")[0][0],
        "session": session["id"],
        "page": session["pages"][0]["id"],
        "recording": sql(recording, id=session["id"])[0][0],
        "channel": sql(channel)[0][0],
        "notification": sql(message)[0][0],
        "entry": sql(entry)[0][0],
        "slot": client_for(school.tutor).ask("POST", "/v1/schedules", WHEN)[1]["schedule_id"],
    }


@pytest.mark.parametrize("who", ["tutor", "student", "parent"])
def test_foreign_is_answered_like_unknown(
    school: School, client_for: ClientFor, foreign: dict[str, int], who: str
) -> None:
    """On one set of rows, since none of these requests may change any."""
    asker = client_for(getattr(school, who))
    routes = {name: route for name, (of, *route) in ROUTES.items() if of == who}
    refusals = {name: _refusals(asker, foreign, *route) for name, route in routes.items()}
    assert len(routes) >= len(_OPERATIONS)
    assert {name: answers for name, answers in refusals.items() if answers[0] != answers[1]} == {}
    assert {name: answers[0] for name, answers in refusals.items() if answers[0][0] not in {403, 404, 422}} == {}


def _refusals(asker: ApiClient, foreign: dict[str, int], method: str, path: str, body: Any, kind: str) -> list[Any]:
    """What it says of a foreign id and of nobody's, without the ids."""
    answers = []
    for item in (foreign[kind], NOBODY):
        where = path.replace("{slot}", str(foreign["slot"])).replace("{}", str(item))
        # The id stands alone in the words, so that no other number of the answer is taken for it.
        answer = asker.send(method, where, body(item))
        # The problem names the path without the query.
        text = answer.text.replace(where.partition("?")[0], "/path")
        text = text.replace(answer.headers["x-request-id"], "").replace(f" {item}", " …")
        answers.append((answer.status_code, text, sorted(set(answer.headers) - {"content-length"})))
    return answers


def test_who_shares_a_booking_can_be_named(school: School, client_for: ClientFor) -> None:
    for who, profile_type, profile_id in (
        ("tutor", "student", 22),
        ("tutor", "parent", 33),
        ("student", "tutor", 11),
        ("student", "parent", 33),
    ):
        status, board_session = client_for(getattr(school, who)).ask("POST", SESSIONS, named(profile_type, profile_id))
        assert (status, board_session["participant_profile_ids"]) == (201, [profile_id])


@pytest.mark.parametrize("status", ["pending", "completed", "cancelled", "declined"])
def test_who_shares_no_booking_any_more_cannot(school: School, client_for: ClientFor, sql: Sql, status: str) -> None:
    sql("UPDATE tutor_student_bookings SET status = :status WHERE id = :id", status=status, id=school.booking_id)
    for who, profile_type, profile_id in (("tutor", "student", 22), ("tutor", "parent", 33), ("student", "tutor", 11)):
        assert client_for(getattr(school, who)).ask("POST", SESSIONS, named(profile_type, profile_id))[0] == 422


def test_a_slot_that_a_student_booked_is_enough(school: School, client_for: ClientFor, foreign: dict[str, int]) -> None:
    tutor, student = client_for(school.tutor), client_for(school.other_student)
    assert tutor.ask("POST", SESSIONS, named("student", 25))[0] == 422
    slot = f"/v1/schedules/{foreign['slot']}"
    # At that time the student has another lesson.
    assert tutor.ask("PATCH", slot, {"start_time": "15:00", "end_time": "16:00"})[0] == 200
    assert student.ask("POST", f"{slot}/book")[0] == 200
    assert tutor.ask("POST", SESSIONS, named("student", 25))[0] == 201
    assert student.ask("POST", f"{slot}/cancel")[0] == 200
    assert tutor.ask("POST", SESSIONS, named("student", 25))[0] == 422


def test_students_of_one_group_cannot_name_each_other(school: School, client_for: ClientFor, sql: Sql) -> None:
    """They learn nothing of one another, so neither who else is in the lesson."""
    lesson = {"booking_id": school.booking_id, **WHEN}
    schedule_id = client_for(school.tutor).ask("POST", "/v1/schedules", lesson)[1]["schedule_id"]
    sql(
        "INSERT INTO schedule_participants SELECT id, 25, NULL, starts_at, ends_at, status FROM tutor_schedules"
        " WHERE id = :id",
        id=schedule_id,
    )
    assert client_for(school.student).ask("POST", SESSIONS, named("student", 25))[0] == 422
    assert client_for(school.tutor).ask("POST", SESSIONS, named("student", 25))[0] == 201


def test_an_operator_s_list_of_a_foreign_booking_is_no_error(school: School, client_for: ClientFor) -> None:
    for booking_id in (school.other_booking_id, NOBODY):
        assert client_for(school.tutor).ask("GET", f"{SESSIONS}?booking_id={booking_id}") == (
            200,
            {"items": [], "next": None},
        )

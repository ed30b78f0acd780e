"""`/v1/whiteboard/sessions` for tutors, students and parents."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.api.conftest import ClientFor
from tests.conftest import School
from worker.access.callers import Operator, UserCaller
from worker.database import Database

SESSIONS = "/v1/whiteboard/sessions"
TIMES = {"scheduled_start": "2026-02-02T14:00:00+03:00", "scheduled_end": "2026-02-02T15:00:00+03:00"}


@pytest.fixture
def opened(school: School, client_for: ClientFor) -> dict[str, Any]:
    """A session of the booking."""
    body = {"booking_id": school.booking_id, "session_title": "Quadratics", **TIMES}
    status, board_session = client_for(school.tutor).ask("POST", SESSIONS, body)
    assert status == 201
    return dict(board_session)


def _events(database: Database, session_id: int) -> list[tuple[Any, ...]]:
    with database.transaction() as session:
        rows = session.execute(
            text(
                "SELECT kind, profile_type, profile_id, page_id FROM whiteboard_events"
                " WHERE session_id = :id ORDER BY id"
            ),
            {"id": session_id},
        )
        return [tuple(row) for row in rows]


def test_a_session_is_opened_with_its_first_page(school: School, client_for: ClientFor, opened: dict[str, Any]) -> None:
    assert opened["status"] == "scheduled"
    assert opened["scheduled_start"] == "2026-02-02T11:00:00Z"
    assert (opened["host_profile_type"], opened["host_profile_id"]) == ("tutor", 11)
    assert (opened["participant_profile_types"], opened["participant_profile_ids"]) == (["student"], [22])
    assert opened["student_permissions"] == {"can_draw": False, "can_erase": False, "can_write": False}
    (page,) = opened["pages"]
    assert (page["page_number"], page["page_title"], page["is_active"]) == (1, "Page 1", True)
    assert client_for(school.student).ask("GET", f"{SESSIONS}/{opened['id']}") == (200, opened)


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("tutor", 200),
        ("student", 200),
        ("parent", 200),
        ("operator", 200),
        ("other_tutor", 404),
        ("other_student", 404),
        ("other_parent", 404),
    ],
)
def test_who_sees_it(
    school: School, client_for: ClientFor, operator: Operator, opened: dict[str, Any], who: str, status: int
) -> None:
    asker = client_for(operator if who == "operator" else getattr(school, who))
    page_id = opened["pages"][0]["id"]
    for path in (
        f"{SESSIONS}/{opened['id']}",
        f"{SESSIONS}/{opened['id']}/pages",
        f"{SESSIONS}/{opened['id']}/board",
        f"/v1/whiteboard/pages/{page_id}",
    ):
        assert asker.ask("GET", path)[0] == status, path
    listed = asker.ask("GET", SESSIONS)[1]["items"]
    assert [item["id"] for item in listed] == ([opened["id"]] if status == 200 else [])


@pytest.mark.parametrize(
    ("who", "status"),
    [("student", 403), ("parent", 403), ("operator", 403), ("other_tutor", 404), ("other_student", 404)],
)
def test_only_its_tutor_leads_it(
    school: School, client_for: ClientFor, operator: Operator, opened: dict[str, Any], who: str, status: int
) -> None:
    asker = client_for(operator if who == "operator" else getattr(school, who))
    page = f"/v1/whiteboard/pages/{opened['pages'][0]['id']}"
    for method, path, body in (
        ("POST", f"{SESSIONS}/{opened['id']}/start", None),
        ("POST", f"{SESSIONS}/{opened['id']}/end", None),
        ("POST", f"{SESSIONS}/{opened['id']}/pages", {}),
        ("PATCH", f"{SESSIONS}/{opened['id']}", {"student_permissions": {"can_draw": True}}),
        ("POST", f"{page}/activate", None),
        ("POST", f"{page}/clear", None),
    ):
        assert asker.ask(method, path, body)[0] == status, path
    assert client_for(school.tutor).ask("GET", f"{SESSIONS}/{opened['id']}")[1] == opened


@pytest.mark.parametrize(
    ("who", "status"), [("student", 403), ("parent", 403), ("operator", 403), ("other_tutor", 404)]
)
def test_only_its_tutor_opens_sessions_of_a_booking(
    school: School, client_for: ClientFor, operator: Operator, who: str, status: int
) -> None:
    asker = client_for(operator if who == "operator" else getattr(school, who))
    assert asker.ask("POST", SESSIONS, {"booking_id": school.booking_id})[0] == status


def test_a_lesson_from_start_to_end(
    school: School, client_for: ClientFor, database: Database, opened: dict[str, Any]
) -> None:
    tutor, student = client_for(school.tutor), client_for(school.student)
    path = f"{SESSIONS}/{opened['id']}"
    assert tutor.ask("POST", f"{path}/end")[0] == 409
    status, started = tutor.ask("POST", f"{path}/start")
    assert (status, started["status"]) == (200, "in_progress")
    assert started["actual_start"] is not None
    assert tutor.ask("POST", f"{path}/start") == (200, started)
    assert student.ask("POST", f"{path}/join")[0] == 200
    assert student.ask("POST", f"{path}/leave")[0] == 200
    status, joined = student.ask("POST", f"{path}/join")
    assert (status, joined["kind"], joined["profile_id"], joined["profile_type"]) == (200, "join", 22, "student")
    status, ended = tutor.ask("POST", f"{path}/end")
    assert (status, ended["status"]) == (200, "completed")
    assert ended["actual_end"] > ended["actual_start"]
    assert tutor.ask("POST", f"{path}/end") == (200, ended)
    assert student.ask("POST", f"{path}/leave")[0] == 200
    for late in ("start", "join"):
        assert tutor.ask("POST", f"{path}/{late}")[0] == 409
    assert _events(database, opened["id"]) == [
        ("start", "tutor", 11, None),
        ("join", "student", 22, None),
        ("leave", "student", 22, None),
        ("join", "student", 22, None),
        ("end", "tutor", 11, None),
        ("leave", "student", 22, None),
    ]


def test_its_lesson_in_the_calendar_goes_along(school: School, client_for: ClientFor, database: Database) -> None:
    def lesson() -> Any:
        with database.transaction() as session:
            return tuple(session.execute(text("SELECT status, attendance FROM tutor_schedules")).one())

    with database.transaction() as session:
        lesson_id = session.scalar(
            text(
                "INSERT INTO tutor_schedules (tutor_id, student_id, booking_id, schedule_date, start_time, end_time,"
                " starts_at, ends_at) VALUES (11, 22, :booking, '2026-02-02', '14:00', '15:00', '2026-02-02T11:00Z',"
                " '2026-02-02T12:00Z') RETURNING id"
            ),
            {"booking": school.booking_id},
        )
    tutor, student = client_for(school.tutor), client_for(school.student)
    board_session = tutor.ask("POST", SESSIONS, {"booking_id": school.booking_id, "schedule_id": lesson_id})[1]
    path = f"{SESSIONS}/{board_session['id']}"
    assert lesson() == ("scheduled", "unknown")
    assert student.ask("POST", f"{path}/start")[0] == 403
    assert tutor.ask("POST", f"{path}/end")[0] == 409
    assert lesson() == ("scheduled", "unknown")
    assert tutor.ask("POST", f"{path}/start")[1]["status"] == "in_progress"
    assert lesson() == ("in_progress", "unknown")
    assert student.ask("POST", f"{path}/join")[0] == 200
    assert tutor.ask("POST", f"{path}/end")[1]["status"] == "completed"
    assert lesson() == ("completed", "held")


def test_a_parent_looks_on_but_does_not_join(school: School, client_for: ClientFor, opened: dict[str, Any]) -> None:
    assert client_for(school.parent).ask("POST", f"{SESSIONS}/{opened['id']}/join")[0] == 403
    assert client_for(school.parent).ask("POST", f"{SESSIONS}/{opened['id']}/leave")[0] == 403


def test_pages_are_numbered_and_one_is_shown(
    school: School, client_for: ClientFor, database: Database, opened: dict[str, Any]
) -> None:
    tutor = client_for(school.tutor)
    path = f"{SESSIONS}/{opened['id']}/pages"
    response = tutor.send("POST", path, {"page_title": "Graphs", "background_color": "#102030"})
    assert response.status_code == 201
    second = response.json()
    assert response.headers["location"] == f"/v1/whiteboard/pages/{second['id']}"
    third = tutor.ask("POST", path, {})[1]
    assert [(item["page_number"], item["page_title"]) for item in (second, third)] == [(2, "Graphs"), (3, "Page 3")]
    for _ in range(2):
        assert tutor.ask("POST", f"/v1/whiteboard/pages/{third['id']}/activate")[1]["is_active"] is True
    pages = tutor.ask("GET", path)[1]["items"]
    assert [page["is_active"] for page in pages] == [False, False, True]
    assert _events(database, opened["id"]) == [("page", "tutor", 11, third["id"])]
    tutor.ask("POST", f"{SESSIONS}/{opened['id']}/start")
    tutor.ask("POST", f"{SESSIONS}/{opened['id']}/end")
    for late in (path, f"/v1/whiteboard/pages/{second['id']}/activate", f"/v1/whiteboard/pages/{third['id']}/clear"):
        assert tutor.ask("POST", late, {})[0] == 409, late


def test_permissions_change_key_by_key(school: School, client_for: ClientFor, opened: dict[str, Any]) -> None:
    path, tutor = f"{SESSIONS}/{opened['id']}", client_for(school.tutor)
    tutor.ask("PATCH", path, {"student_permissions": {"can_write": True}})
    changed = tutor.ask("PATCH", path, {"student_permissions": {"can_draw": True}, "session_notes": "well done"})[1]
    assert changed["student_permissions"] == {"can_draw": True, "can_erase": False, "can_write": True}
    assert changed["session_notes"] == "well done"
    assert changed["session_title"] == "Quadratics"


def test_a_call_without_a_booking(school: School, client_for: ClientFor) -> None:
    body = {"participant_profile_ids": [11, 33], "participant_profile_types": ["tutor", "parent"]}
    status, board_session = client_for(school.student).ask("POST", SESSIONS, body)
    assert status == 201
    assert (board_session["booking_id"], board_session["host_profile_type"], board_session["host_profile_id"]) == (
        None,
        "student",
        22,
    )
    path = f"{SESSIONS}/{board_session['id']}"
    assert client_for(school.student).ask("POST", f"{path}/start")[0] == 200
    assert client_for(school.tutor).ask("POST", f"{path}/join")[0] == 200
    assert client_for(school.parent).ask("POST", f"{path}/join")[0] == 200
    assert client_for(school.tutor).ask("POST", f"{path}/end")[0] == 403
    assert client_for(school.other_tutor).ask("GET", path)[0] == 404


def test_a_parent_cannot_host(school: School, client_for: ClientFor) -> None:
    assert client_for(school.parent).ask("POST", SESSIONS, {})[0] == 403


def test_a_session_of_a_booking_that_is_over_does_not_start(
    school: School, client_for: ClientFor, opened: dict[str, Any]
) -> None:
    tutor, path = client_for(school.tutor), f"{SESSIONS}/{opened['id']}"
    assert tutor.ask("POST", f"{path}/start")[0] == 200
    later = tutor.ask("POST", SESSIONS, {"booking_id": school.booking_id})[1]
    assert client_for(school.student).ask("POST", f"/v1/bookings/{school.booking_id}/end")[0] == 200
    assert tutor.ask("POST", f"{SESSIONS}/{later['id']}/start")[0] == 409
    assert tutor.ask("GET", f"{SESSIONS}/{later['id']}")[1]["status"] == "scheduled"
    # What runs already goes on to its end.
    assert tutor.ask("POST", f"{path}/start")[0] == 200
    assert tutor.ask("POST", f"{path}/end")[0] == 200


def test_a_booking_that_is_over_takes_no_sessions(school: School, client_for: ClientFor) -> None:
    tutor = client_for(school.tutor)
    tutor.ask("PATCH", f"/v1/bookings/{school.booking_id}", {"status": "completed"})
    assert tutor.ask("POST", SESSIONS, {"booking_id": school.booking_id})[0] == 409


def test_a_lesson_of_the_calendar_must_be_the_tutor_s_and_of_that_booking(
    school: School, client_for: ClientFor, database: Database
) -> None:
    with database.transaction() as session:
        insert = text(
            "INSERT INTO tutor_schedules (tutor_id, schedule_date, start_time, end_time, booking_id)"
            " VALUES (:tutor, '2026-02-02', '14:00', '15:00', :booking) RETURNING id"
        )
        mine = session.scalar(insert, {"tutor": 11, "booking": school.booking_id})
        theirs = session.scalar(insert, {"tutor": 14, "booking": school.other_booking_id})
    tutor = client_for(school.tutor)
    status, board_session = tutor.ask("POST", SESSIONS, {"booking_id": school.booking_id, "schedule_id": mine})
    assert (status, board_session["schedule_id"]) == (201, mine)
    assert tutor.ask("GET", f"{SESSIONS}?schedule_id={mine}")[1]["items"][0]["id"] == board_session["id"]
    assert tutor.ask("POST", SESSIONS, {"booking_id": school.booking_id, "schedule_id": theirs})[0] == 422
    status, board_session = tutor.ask("POST", SESSIONS, {"schedule_id": mine})
    assert (status, board_session["booking_id"]) == (201, school.booking_id)


def test_a_session_of_a_group_lesson_takes_all_of_its_students(
    school: School, client_for: ClientFor, database: Database
) -> None:
    with database.transaction() as session:
        lesson_id = session.scalar(
            text(
                "INSERT INTO tutor_schedules (tutor_id, schedule_date, start_time, end_time, student_id, booking_id,"
                " starts_at, ends_at) VALUES (11, '2026-02-02', '14:00', '15:00', 22, :booking, '2026-02-02 11:00Z',"
                " '2026-02-02 12:00Z') RETURNING id"
            ),
            {"booking": school.booking_id},
        )
        session.execute(
            text(
                "INSERT INTO schedule_participants SELECT id, student, booking_id, starts_at, ends_at, status"
                " FROM tutor_schedules, (VALUES (22), (25)) AS group_of (student)"
            )
        )
    tutor = client_for(school.tutor)
    status, board_session = tutor.ask("POST", SESSIONS, {"schedule_id": lesson_id})
    assert (status, board_session["booking_id"], board_session["participant_profile_ids"]) == (201, None, [22, 25])
    assert client_for(school.other_student).ask("POST", f"{SESSIONS}/{board_session['id']}/join")[0] == 200
    named = {"schedule_id": lesson_id, "participant_profile_ids": [25], "participant_profile_types": ["student"]}
    assert tutor.ask("POST", SESSIONS, named)[0] == 422


@pytest.mark.parametrize(
    "body",
    [
        {"booking_id": 1, "participant_profile_ids": [25], "participant_profile_types": ["student"]},
        {"participant_profile_ids": [25], "participant_profile_types": []},
        {"participant_profile_ids": [999], "participant_profile_types": ["student"]},
        {"participant_profile_ids": [25], "participant_profile_types": ["tutor"]},
        {"participant_profile_ids": [25], "participant_profile_types": ["admin"]},
        {"scheduled_start": "2026-02-02T14:00:00"},
        {"scheduled_start": 1_770_000_000},
        {"scheduled_start": "0001-01-01T00:00:00+03:00"},
        {"scheduled_start": TIMES["scheduled_end"], "scheduled_end": TIMES["scheduled_start"]},
        {"session_title": "x" * 301},
        {"session_title": "\x00"},
        {"student_permissions": {"can_fly": True}},
        {"student_permissions": {"can_draw": "yes"}},
        {"student_permissions": None},
        {"status": "completed"},
        {"host_profile_id": 14},
        [],
        "text",
    ],
)
def test_what_cannot_be_a_session_is_refused(school: School, client_for: ClientFor, body: Any) -> None:
    assert client_for(school.tutor).ask("POST", SESSIONS, body)[0] == 422
    assert client_for(school.tutor).ask("GET", SESSIONS)[1]["items"] == []


def test_the_list_is_filtered(school: School, client_for: ClientFor, opened: dict[str, Any]) -> None:
    tutor = client_for(school.tutor)
    free = tutor.ask("POST", SESSIONS, {})[1]
    tutor.ask("POST", f"{SESSIONS}/{free['id']}/start")
    for query, expected in (
        ("", [free["id"], opened["id"]]),
        ("?status=in_progress", [free["id"]]),
        (f"?booking_id={school.booking_id}", [opened["id"]]),
        ("?limit=1", [free["id"]]),
    ):
        assert [item["id"] for item in tutor.ask("GET", SESSIONS + query)[1]["items"]] == expected


def test_the_page_says_as_what_its_person_hosts(database: Database, school: School, client_for: ClientFor) -> None:
    """A token's role is the one that was chosen last, which need not be that of the page."""
    caller = UserCaller(1, "parent", tutor_id=11)
    body = {"host_profile_type": "tutor", "participant_profile_ids": [22], "participant_profile_types": ["student"]}

    status, opened = client_for(caller).ask("POST", SESSIONS, body)

    assert status == 201
    assert (opened["host_profile_type"], opened["host_profile_id"]) == ("tutor", 11)
    assert client_for(caller).ask("POST", SESSIONS, {"host_profile_type": "student"})[0] == 403
    assert client_for(caller).ask("POST", SESSIONS, {"host_profile_type": "parent"})[0] == 422
    of_booking = {"host_profile_type": "student", "booking_id": school.booking_id}
    assert client_for(school.tutor).ask("POST", SESSIONS, of_booking)[0] == 403

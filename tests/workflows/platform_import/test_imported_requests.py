"""Requests of the sample: who asks, who learns, and the requested times, as `payloads.json` expects them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.conftest import Platform, Sql
from tests.workflows.platform_import.conftest import Import, Refusals


def _requests(sql: Sql) -> dict[int, Any]:
    rows = sql(
        "SELECT request.*, link.platform_id FROM session_requests request"
        " JOIN platform_links link ON link.kind = 'request' AND link.id = request.id ORDER BY link.platform_id"
    )
    return {row.platform_id: row for row in rows}


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _check(requests: dict[int, Any], expected: Any) -> None:
    assert len(requests) == expected["session_requests"]
    assert {str(row_id): [row.requester_type, row.requester_id] for row_id, row in requests.items()} == expected[
        "requester_profile"
    ]
    assert {str(row_id): row.student_id for row_id, row in requests.items()} == expected["learner_of_request"]


def test_requests_as_expected(run_import: Import, refusals: Refusals, sql: Sql, expected: Any) -> None:
    run_import()
    requests = _requests(sql)

    _check(requests, expected)
    assert {str(row): reason for row, reason in refusals("request").items()} == expected["session_requests_refused"]
    silent = [row_id for row_id, row in requests.items() if row.schedule is None]
    assert silent == expected["schedules_that_say_nothing"]
    notes = sql("SELECT platform_id FROM platform_refusals WHERE code = 'says-no-times' ORDER BY 1")
    assert [row.platform_id for row in notes] == silent
    assert requests[53].schedule["days"] == expected["request_53_days"]
    for row_id, created_at in expected["request_created_at"].items():
        assert requests[int(row_id)].created_at == _instant(created_at)


def test_what_a_request_says(run_import: Import, sql: Sql) -> None:
    run_import()
    requests = _requests(sql)

    first = requests[53]
    assert (first.status, first.message, first.package_name) == (
        "accepted",
        "Please start with fractions",
        "Algebra evenings",
    )
    assert (first.student_name, first.student_grade) == ("Robel Hailu", "Grade 12")
    assert first.responded_at == _instant("2026-10-10T10:00:00.75Z")
    booking = sql("SELECT tutor_id, student_id FROM tutor_student_bookings WHERE id = :id", id=first.booking_id)
    assert booking == [(14, 11)]
    assert first.schedule == {
        "schedule_type": "recurring",
        "days": ["Tuesday", "Thursday", "Saturday"],
        "months": ["October", "November", "December"],
        "year": 2026,
        "start_time": "17:00",
        "end_time": "19:00",
        "timezone": "Africa/Addis_Ababa",
    }
    assert requests[54].schedule["specific_dates"] == ["2026-11-14", "2026-11-21"]
    assert (requests[57].schedule["year"], requests[57].schedule["year_to"]) == (2026, 2027)
    assert (requests[57].status, requests[57].booking_id) == ("rejected", None)
    assert requests[55].message == "Weekends after lunch"


_TO_PROFILES = """
    ALTER TABLE whiteboard_sessions DROP COLUMN host_profile_id;
    ALTER TABLE users DROP COLUMN naming_system;
    ALTER TABLE requested_sessions DROP COLUMN num_students;
"""
_PROFILE_IDS = """
    ALTER TABLE requested_sessions DROP CONSTRAINT requested_sessions_requester_id_fkey;
    UPDATE requested_sessions request SET requester_id = profile.id FROM student_profiles profile
     WHERE request.requester_type = 'student' AND profile.user_id = request.requester_id;
    UPDATE requested_sessions request SET requester_id = profile.id FROM parent_profiles profile
     WHERE request.requester_type = 'parent' AND profile.user_id = request.requester_id;
"""


def test_before_2026_requesters_are_profiles(
    run_import: Import, refusals: Refusals, platform: Platform, sql: Sql, expected: Any
) -> None:
    platform.owner.execute(_TO_PROFILES + _PROFILE_IDS)

    run_import()

    _check(_requests(sql), expected)
    assert refusals("request") == {56: "no parent profile 12"}


@pytest.mark.parametrize("change", [_TO_PROFILES, _PROFILE_IDS])
def test_when_state_and_rows_contradict_each_other_nobody_is_mistaken(
    run_import: Import, refusals: Refusals, platform: Platform, sql: Sql, change: str
) -> None:
    """A script that was run by hand, and the other not."""
    platform.owner.execute(change.encode())

    run_import()

    assert _requests(sql) == {}
    assert len(refusals("request")) == 8
    assert "more rows fit" in refusals("request")[51]


def test_answers_and_deletes(run_import: Import, platform: Platform, sql: Sql) -> None:
    run_import()
    requests = _requests(sql)
    sql("UPDATE session_requests SET status = 'rejected' WHERE id = :id", id=requests[55].id)
    platform.owner.execute(
        "UPDATE requested_sessions SET status = 'accepted', responded_at = '2026-11-01 12:00',"
        " updated_at = '2026-11-01' WHERE id IN (54, 55); DELETE FROM requested_sessions WHERE id = 58"
    )

    run_import()

    now = _requests(sql)
    assert (now[54].status, now[54].responded_at) == ("accepted", _instant("2026-11-01T11:00:00Z"))
    assert now[55].status == "rejected"  # answered here before
    assert 58 not in now
    assert sql("SELECT status FROM session_requests WHERE id = :id", id=requests[58].id) == [("accepted",)]
    platform.owner.execute("UPDATE requested_sessions SET status = 'pending' WHERE id = 54")
    assert sql("SELECT count(*) FROM deliveries WHERE kind <> 'lesson-reminder'") == [(0,)]


def test_a_request_that_was_taken_back_is_deleted(run_import: Import, platform: Platform, sql: Sql) -> None:
    run_import()
    ours = _requests(sql)[54].id
    platform.owner.execute("DELETE FROM requested_sessions WHERE id = 54")

    run_import()

    assert sql("SELECT FROM session_requests WHERE id = :id", id=ours) == []

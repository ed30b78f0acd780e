"""The platform of November 2025, whose tables a document describes: users' ids become profiles' where they can."""

import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.conftest import PostgresServer, Sql
from tests.workflows.platform_import.conftest import BERLIN, LESSONS, Refusals, stored
from worker.database import Database
from worker.platform.connection import PlatformConnection
from worker.platform.grants import grants
from worker.platform.zone import ServerZone
from worker.workflows.platform_import.kinds import document_kinds
from worker.workflows.platform_import.pull import import_platform

_DATA = Path(__file__).parents[2] / "data" / "platform"
Counts = dict[str, dict[str, int]]


@pytest.fixture(scope="session")
def expected_document() -> Any:
    """`expected_document_2025` of the payloads."""
    return json.loads((_DATA / "payloads.json").read_text())["expected_document_2025"]


@pytest.fixture
def document_owner(postgres: PostgresServer) -> Iterator[psycopg.Connection]:
    """A connection to a copy of the sample by its owner."""
    name = f"document_{secrets.token_hex(6)}"
    postgres.create_database(name)
    with psycopg.connect(postgres.url(name), autocommit=True) as owner:
        owner.execute((_DATA / "document-2025.sql").read_text().encode())
        yield owner
    postgres.drop_database(name)


@pytest.fixture
def document(postgres: PostgresServer, document_owner: psycopg.Connection) -> Iterator[PlatformConnection]:
    """A connection to the sample by a role with the printed grants and nothing else."""
    name, role = document_owner.info.dbname, f"reader_{secrets.token_hex(4)}"
    for statement in grants(name, role, password="secret", document=True):
        document_owner.execute(statement.encode())
    address = postgres.url(name).rpartition("@")[2]
    connection = PlatformConnection(f"postgresql://{role}:secret@{address}")
    yield connection
    connection.close()
    document_owner.execute(f"DROP OWNED BY {role}".encode())
    document_owner.execute(f"DROP ROLE {role}".encode())


def take(database: Database, document: PlatformConnection, server_zone: ServerZone = BERLIN) -> Counts:
    reports = import_platform(
        database, document, timezone=LESSONS, server_zone=server_zone, kinds=document_kinds, compare=True
    )
    counts = {report.kind: dict(+report.counts) for report in reports if report.waits_for is None}
    assert len(counts) == len(document_kinds())
    return counts


@pytest.fixture
def counts(database: Database, document: PlatformConnection) -> Counts:
    """Everything is imported; the counts of each kind."""
    return take(database, document)


def by_platform_id(sql: Sql, kind: str, table: str) -> dict[int, Any]:
    statement = (
        f"SELECT link.platform_id, row.* FROM platform_links link JOIN {table} row ON row.id = link.id"  # noqa: S608 - names of this file
        " WHERE link.kind = :kind ORDER BY 1"
    )
    return {row.platform_id: row for row in sql(statement, kind=kind)}


def text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def strings(reasons: dict[int, str]) -> dict[str, str]:
    return {str(number): reason for number, reason in reasons.items()}


@pytest.mark.usefixtures("counts")
class TestBookings:
    def test_users_become_profiles(self, sql: Sql, refusals: Refusals, expected_document: Any) -> None:
        bookings = by_platform_id(sql, "document_booking", "tutor_student_bookings")
        people = {str(number): [row.tutor_id, row.student_id] for number, row in bookings.items()}
        assert people == expected_document["bookings"]
        assert strings(refusals("document_booking")) == expected_document["bookings_refused"]
        first = bookings[1]
        assert (first.subject, first.session_type, first.sessions_per_week) == ("Mathematics", "online", 3)
        assert (first.status, float(first.price_per_session), first.currency) == ("active", 220.0, "ETB")
        assert text(first.created_at) == "2025-08-29T06:00:00Z"

    def test_requests_by_profile(self, sql: Sql, refusals: Refusals, expected_document: Any) -> None:
        requests = by_platform_id(sql, "document_request", "session_requests")
        assert len(requests) == expected_document["session_requests"]
        assert strings(refusals("document_request")) == expected_document["session_requests_refused"]
        assert [(row.requester_type, row.requester_id, row.student_id) for row in requests.values()] == [
            ("student", 203, 203),
            ("student", 41, 41),
            ("parent", 7, None),
            ("student", 202, 202),
        ]
        first = requests[1]
        assert (first.package_name, first.contact_phone, first.status) == ("Mathematics", "+251000000202", "accepted")
        assert (text(first.created_at), text(first.responded_at)) == ("2025-08-28T17:00:00Z", "2025-08-29T06:00:00Z")

    def test_enrolments_become_bookings(
        self, counts: Counts, sql: Sql, refusals: Refusals, expected_document: Any
    ) -> None:
        assert counts["document_enrollment"]["read"] == expected_document["enrollments"]
        bookings = sql(
            "SELECT link.platform_id, array_agg(subject ORDER BY subject) FROM platform_links link"
            " JOIN tutor_student_bookings booking ON booking.enrollment_id = link.id"
            " WHERE kind = 'document_enrollment' GROUP BY 1"
        )
        assert {str(number): subjects for number, subjects in bookings} == expected_document["enrollments_to_bookings"]
        assert strings(refusals("document_enrollment")) == expected_document["enrollments_refused"]
        notes = "SELECT platform_id, reason FROM platform_refusals WHERE kind = :kind AND NOT is_refused"
        reports = dict(sql(notes, kind="document_enrollment"))
        assert strings(reports) == expected_document["enrollments_to_report"]


@pytest.mark.usefixtures("counts")
class TestCalendar:
    def test_every_row(self, counts: Counts, sql: Sql, refusals: Refusals, expected_document: Any) -> None:
        assert counts["document_lesson"]["read"] == expected_document["calendar_rows"]
        lessons = by_platform_id(sql, "document_lesson", "tutor_schedules")
        refusals_by_row = refusals("document_lesson")
        assert strings(refusals_by_row) == expected_document["calendar_refused"]
        assert len(lessons) + len(refusals_by_row) == expected_document["calendar_rows"]
        without_profile = expected_document["calendar_student_without_profile"]
        with_student = [number for number, row in lessons.items() if row.student_id is not None]
        assert len(with_student) + len(refusals_by_row) + len(without_profile) == expected_document["calendar_booked"]
        nobodys = {number: row for number, row in lessons.items() if row.student_id is None}
        slots = [number for number, row in nobodys.items() if row.student_name is None]
        assert len(slots) == expected_document["calendar_free"]
        numbers = sorted(set(nobodys) - set(slots))
        absentees = expected_document["calendar_not_free_although_without_student"]
        assert numbers == sorted([*map(int, without_profile), *absentees])
        assert {row.session_format for row in lessons.values()} == {"online", "in-person"}

    def test_what_a_row_says(self, sql: Sql, expected_document: Any) -> None:
        lessons = by_platform_id(sql, "document_lesson", "tutor_schedules")
        night, first = lessons[35], lessons[1]
        assert [text(night.starts_at), text(night.ends_at)] == expected_document["calendar_row_35"]
        assert (night.student_id, night.meeting_link) == (202, "https://meet.example.org/a")
        assert (first.status, first.is_recurring, first.recurrence_pattern) == (
            "completed",
            True,
            "Every Monday, Wednesday, Friday",
        )
        assert (first.student_id, first.student_name, first.grade_level) == (203, "Natnael Wolde", "Grade 9")
        seats = sql("SELECT count(*) FROM schedule_participants")
        assert seats == [(sum(row.student_id is not None for row in lessons.values()),)]

    def test_what_is_reported(self, sql: Sql, expected_document: Any) -> None:
        rows = sql(
            "SELECT code, platform_id, details FROM platform_refusals WHERE kind = 'document_lesson' AND NOT is_refused"
        )
        codes = {(row.code, row.platform_id): row.details for row in rows}
        without = {("no-student", int(number)): user for number, user in _without(expected_document).items()}
        absentees = [
            ("student-gone", number) for number in expected_document["calendar_not_free_although_without_student"]
        ]
        wordless = [
            ("recurs-without-words", number) for number in expected_document["calendar_recurring_without_words"]
        ]
        assert set(codes) == {*without, *absentees, *wordless}
        assert {key: codes[key]["user"] for key in without} == without

    def test_who_is_gone_leaves_no_free_slot(self, sql: Sql) -> None:
        row = by_platform_id(sql, "document_lesson", "tutor_schedules")[36]
        assert (row.student_id, row.student_name) == (None, "Somebody Gone")


def _without(expected_document: Any) -> dict[str, int]:
    lessons: dict[str, int] = expected_document["calendar_student_without_profile"]
    return lessons


@pytest.mark.usefixtures("counts")
class TestBoards:
    def test_who_leads_and_takes_part(self, sql: Sql, refusals: Refusals, expected_document: Any) -> None:
        boards = by_platform_id(sql, "board", "whiteboard_sessions")
        hosts = {str(number): [row.host_profile_type, row.host_profile_id] for number, row in boards.items()}
        assert hosts == expected_document["board_hosts"]
        participants = {
            str(number): [
                list(pair) for pair in zip(row.participant_profile_types, row.participant_profile_ids, strict=True)
            ]
            for number, row in boards.items()
        }
        assert participants == expected_document["board_participants"]
        assert refusals("board") == refusals("board_page") == {}
        bookings = by_platform_id(sql, "document_booking", "tutor_student_bookings")
        assert [row.booking_id for row in boards.values()] == [bookings[1].id, bookings[1].id, bookings[3].id, None]

    def test_when_they_ran(self, sql: Sql, expected_document: Any) -> None:
        boards = by_platform_id(sql, "board", "whiteboard_sessions")
        for number in (1, 4):
            times = [text(boards[number].actual_start), text(boards[number].actual_end)]
            assert times == expected_document[f"board_{number}_ran"]
        running = [number for number, row in boards.items() if row.status == "in_progress"]
        assert running == expected_document["boards_left_running"]

    def test_pages(self, sql: Sql, expected_document: Any) -> None:
        assert len(by_platform_id(sql, "board_page", "whiteboard_pages")) == expected_document["pages"]

    def test_strokes(self, sql: Sql, refusals: Refusals, expected_document: Any) -> None:
        strokes = by_platform_id(sql, "stroke", "whiteboard_canvas_data")
        assert (len(strokes), refusals("stroke")) == (expected_document["strokes"], {})
        page = strokes[1].page_id
        order = sorted((row.stroke_order, number) for number, row in strokes.items() if row.page_id == page)
        assert [number for _, number in order] == expected_document["page_1_strokes_in_order"]
        profiles = {str(row.user_id): [row.profile_type, row.profile_id] for row in strokes.values()}
        assert profiles == expected_document["stroke_profiles"]
        assert [number for number, row in strokes.items() if row.is_deleted] == [7]

    def test_recordings_have_no_file(self, sql: Sql, refusals: Refusals, expected_document: Any) -> None:
        recordings = by_platform_id(sql, "recording", "whiteboard_session_recordings")
        available = [number for number, row in recordings.items() if row.is_available]
        counts = {"rows": len(recordings), "available": len(available)}
        assert (counts, refusals("recording")) == (expected_document["recordings"], {})
        assert {row.recording_type for row in recordings.values()} == {"video", "screen", "board"}
        # The board of the one with a snapshot is kept.
        assert [page["page_number"] for page in recordings[2].board_snapshot["pages"]] == [1, 2]


def test_a_second_import_changes_nothing(
    counts: Counts, database: Database, document: PlatformConnection, sql: Sql
) -> None:
    assert sum(kind.get("stored", 0) for kind in counts.values()) > 0
    tables = ("tutor_student_bookings", "session_requests", "tutor_schedules", "whiteboard_sessions", "platform_links")
    before = stored(sql, *tables)
    again = take(database, document)
    assert all(kind.keys() <= {"read"} for kind in again.values()), again
    assert stored(sql, *tables) == before


@pytest.mark.usefixtures("counts")
def test_changes_there_come_in(
    database: Database, document: PlatformConnection, document_owner: psycopg.Connection, sql: Sql
) -> None:
    """No column tells when a row was changed."""
    document_owner.execute("UPDATE tutor_student_bookings SET status = 'completed' WHERE id = 1")
    document_owner.execute("UPDATE session_requests SET message = 'Soon' WHERE id = 1")
    document_owner.execute("UPDATE tutor_schedules SET notes = 'Soon' WHERE id = 1")
    document_owner.execute("UPDATE whiteboard_sessions SET session_title = 'Soon' WHERE id = 1")

    again = take(database, document)

    kinds = ("document_booking", "document_request", "document_lesson", "board")
    assert [again[kind]["stored"] for kind in kinds] == [1, 1, 1, 1]
    assert by_platform_id(sql, "document_booking", "tutor_student_bookings")[1].status == "completed"


@pytest.mark.usefixtures("counts")
def test_a_corrected_zone_corrects_times(database: Database, document: PlatformConnection, sql: Sql) -> None:
    tables = (
        "tutor_student_bookings",
        "session_requests",
        "tutor_schedules",
        "whiteboard_sessions",
        "whiteboard_pages",
    )

    def created() -> dict[str, list[Any]]:
        return {table: sql(f"SELECT created_at FROM {table} ORDER BY id") for table in tables}  # noqa: S608

    right = created()
    take(database, document, ServerZone("America/New_York"))
    assert all(now != right[table] for table, now in created().items())

    take(database, document)

    assert created() == right


@pytest.mark.usefixtures("counts")
def test_a_booking_that_was_ended_here_stays_so(database: Database, document: PlatformConnection, sql: Sql) -> None:
    """Under another name of the zone all rows are stored again."""
    booking_id = by_platform_id(sql, "document_booking", "tutor_student_bookings")[1].id
    sql("UPDATE tutor_student_bookings SET status = 'cancelled' WHERE id = :id", id=booking_id)

    assert take(database, document, ServerZone("Europe/Paris"))["document_booking"]["stored"] == 4

    assert sql("SELECT status FROM tutor_student_bookings WHERE id = :id", id=booking_id) == [("cancelled",)]

"""A person is erased: nothing of them is left but what the other side's lessons need, without a name."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from sqlalchemy import text

from tests.conftest import School, Sql
from tests.waiting import TIMEOUT, wait_for
from tests.workflows.conftest import RecordingFixture, Versions
from worker.access.person_ids import person_ids
from worker.database import Database
from worker.errors import NotFound, Unavailable
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.recording_orders import IngestRecording, RemoveRecordingFiles, StoreSource
from worker.recurrence.request import TimeRequest
from worker.schedules.planning import Planning
from worker.schedules.requests import LessonRequest
from worker.workflows.lessons.change_lessons import make_lessons
from worker.workflows.people.erase_person import Erasure, erase_person, plan_erasure
from worker.workflows.people.personal_rows import recordings_of

# A Monday, 11:00 in Addis Ababa.
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PLANNING = Planning(NOW, horizon_days=40)
NAMES = ("Abeba", "Kebede", "abeba@example.org", "+251911000000", "likes chess")


@pytest.fixture
def lessons(database: Database, school: School, sql: Sql) -> Any:
    """A series of the tutor and the student, who has left something everywhere."""
    times = TimeRequest(date(2026, 3, 9), time(10), time(11), "Africa/Addis_Ababa", "every Monday")
    request = LessonRequest(11, school.booking_id, times, {"subject": "Maths"})
    with database.transaction() as session:
        make_lessons(session, request, PLANNING)
    sql(
        "UPDATE users SET first_name = 'Abeba', father_name = 'Kebede', email = :mail, phone = :phone WHERE id = 2",
        mail=NAMES[2],
        phone=NAMES[3],
    )
    sql("UPDATE student_profiles SET username = 'Abeba' WHERE id = 22")
    sql("UPDATE tutor_schedules SET student_name = 'Abeba Kebede' WHERE student_id = 22")
    sql("UPDATE tutor_student_bookings SET notes = 'Abeba likes chess' WHERE student_id = 22")
    sql(
        "INSERT INTO session_requests (tutor_id, requester_id, requester_type, student_id, student_name, message,"
        " contact_email) VALUES (11, 22, 'student', 22, 'Abeba', 'likes chess', :mail)",
        mail=NAMES[2],
    )
    sql("INSERT INTO notifications (user_id, kind, title, message) VALUES (2, 'test', 'Abeba', 'likes chess')")
    sql("INSERT INTO notification_preferences (user_id) VALUES (2)")
    sql(
        "INSERT INTO timetable_entries (user_id, title, year, start_time, end_time, timezone)"
        " VALUES (2, 'Abeba likes chess', 2026, '10:00', '11:00', 'Africa/Addis_Ababa')"
    )
    sql("INSERT INTO deliveries (kind, user_id, channel, key, due_at) VALUES ('test', 2, 'email', 'k', now())")
    sql(
        "INSERT INTO idempotency_keys (principal, key, fingerprint, status, body)"
        " VALUES ('user:2', 'k', 'f', 200, '{\"name\": \"Abeba\"}')"
    )
    return sql


def erase(database: Database, user_id: int) -> Erasure:
    return erase_person(database, user_id, PLANNING, by="cli:maria")


def everything(sql: Sql) -> str:
    """Every row of every table as one text."""
    tables = [
        row.relname
        for row in sql("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
    ]
    rows = [row for table in tables for row in sql(f"SELECT to_jsonb(t) FROM {table} t")]  # noqa: S608 - the catalog's
    return json.dumps([list(row) for row in rows])


def test_no_word_of_the_person_is_left_and_the_tutor_keeps_the_lessons(
    lessons: Sql, database: Database, school: School
) -> None:
    before = everything(lessons)
    assert all(name in before for name in NAMES)
    held = lessons("SELECT count(*) FROM tutor_schedules")[0][0]
    others = lessons("SELECT to_jsonb(t) FROM users t WHERE id <> 2 ORDER BY id")

    plan = plan_erasure(database, 2)
    assert (plan.bookings, plan.rows["tutor_schedules"]) == (1, held)
    assert everything(lessons) == before
    erasure = erase(database, 2)

    assert [name for name in NAMES if name in everything(lessons)] == []
    assert (erasure.bookings, erasure.rows["users"], erasure.rows["deliveries"] >= 1) == (1, 1, True)
    assert lessons("SELECT count(*) FROM tutor_schedules")[0][0] == held
    assert {row.status for row in lessons("SELECT status FROM tutor_schedules")} == {"cancelled"}
    assert lessons("SELECT status FROM tutor_student_bookings ORDER BY id") == [("cancelled",), ("active",)]
    assert lessons("SELECT status FROM session_requests") == [("rejected",)]
    assert lessons("SELECT is_active FROM users WHERE id = 2") == [(False,)]
    assert lessons("SELECT to_jsonb(t) FROM users t WHERE id <> 2 ORDER BY id") == others
    # The tutor is notified.
    assert lessons("SELECT DISTINCT user_id FROM deliveries WHERE kind = 'booking-ended'") == [(1,)]
    again = erase(database, 2)
    assert (again.bookings, again.jobs, again.recordings, again.rows) == (0, 0, 0, {})


def test_a_tutor_is_erased_and_the_student_keeps_what_is_theirs(
    lessons: Sql, database: Database, school: School
) -> None:
    lessons("UPDATE schedule_series SET notes = 'mine', meeting_link = 'https://meet.example/x'")
    lessons("UPDATE tutor_schedules SET notes = 'mine', meeting_link = 'https://meet.example/x'")
    lessons(
        "INSERT INTO tutor_schedules (tutor_id, schedule_date, start_time, end_time)"
        " VALUES (11, '2026-05-01', '10:00', '11:00')"
    )
    erase(database, 1)

    left = everything(lessons)
    assert [word for word in ("mine", "meet.example", "tutor 1", "1@example.org") if word in left] == []
    assert "Abeba" in left
    assert lessons("SELECT count(*) FROM tutor_schedules WHERE status = 'scheduled'") == [(0,)]
    assert lessons("SELECT message FROM session_requests") == [("likes chess",)]


def test_recordings_go_with_their_objects_and_jobs_are_stopped(
    recordings: RecordingFixture, versions: Versions, sample: bytes, sql: Sql
) -> None:
    mine, theirs = recordings.arrive(sample), recordings.arrive(sample + b"\0", recorded_by=2, principal="user:2")
    for recording_id in (mine, theirs):
        recordings.perform(IngestRecording, recording_id)
        recordings.perform(StoreSource, recording_id)
    recordings.sql(
        "INSERT INTO uploads (id, principal, recorded_by, session_id, spool_id, reserved)"
        " VALUES (:id, 'user:1', 1, :session, 'shared', 1)",
        id="a" * 32,
        session=recordings.session_id,
    )
    with recordings.database.transaction() as session:
        waiting = enqueue(session, IngestRecording(999, 1, "shared", 1), principal="user:1")
    erasure = erase(recordings.database, 1)

    assert erasure.recordings == 1
    assert recordings.row(theirs) is not None
    assert recordings.job(waiting).state == "cancelled"
    assert recordings.sql("SELECT 1 FROM jobs WHERE principal = 'user:1'") == []
    assert recordings.sql("SELECT 1 FROM uploads") == []
    assert recordings.perform(RemoveRecordingFiles, mine).state == "succeeded"
    assert {name.split("/")[3] for name, _ in versions()} == {f"recording_{theirs}"}


def test_what_a_running_job_still_makes_is_erased_as_well(recordings: RecordingFixture, sample: bytes) -> None:
    run = recordings.begin(IngestRecording, recordings.arrive(sample))
    with ThreadPoolExecutor(1) as pool:
        erasing = pool.submit(erase, recordings.database, 1)
        wait_for(lambda: recordings.job(run.claim.job_id).cancel_requested_at or erasing.done())
        assert recordings.sql("SELECT is_active FROM users WHERE id = 1") == [(False,)]
        # Like a film that is registered in the moment when its job is asked to stop.
        film = recordings.arrive(sample + b"\0")
        with run.finish():
            pass
        erasure = erasing.result(TIMEOUT)

    assert (recordings.row(film), erasure.jobs, erasure.recordings) == (None, 2, 2)
    live = recordings.sql("SELECT DISTINCT kind FROM jobs WHERE state NOT IN ('cancelled', 'succeeded')")
    assert live == [(RemoveRecordingFiles.kind,)]


def test_a_job_with_arguments_of_another_release_is_stopped(recordings: RecordingFixture) -> None:
    with recordings.database.transaction() as session:
        odd, plain = (enqueue(session, IngestRecording(n, 1, "shared", 1), principal="user:1") for n in (998, 999))
    recordings.sql("UPDATE jobs SET args = '{\"unknown\": 1}' WHERE id = :id", id=odd)

    assert erase(recordings.database, 1).jobs == 2
    assert (recordings.job(odd).state, recordings.job(plain).state) == ("cancelled", "cancelled")


def test_a_recording_with_a_job_of_another_release_is_deleted(recordings: RecordingFixture, sample: bytes) -> None:
    recording_id = recordings.arrive(sample, principal="operator:1")
    (ingest,) = recordings.sql("UPDATE jobs SET args = '{\"unknown\": 1}' RETURNING id")[0]

    assert erase(recordings.database, 1).recordings == 1
    assert (recordings.row(recording_id), recordings.job(ingest).state) == (None, "cancelled")


def test_a_job_that_does_not_stop_is_named_and_the_rest_waits(recordings: RecordingFixture, sample: bytes) -> None:
    run = recordings.begin(IngestRecording, recordings.arrive(sample))
    with pytest.raises(Unavailable, match=str(run.claim.job_id)):
        erase_person(recordings.database, 1, PLANNING, by="cli:maria", timeout=0)
    assert recordings.sql("SELECT principal FROM jobs WHERE id = :id", id=run.claim.job_id) == [("user:1",)]
    recordings.lose(run)

    assert erase(recordings.database, 1).recordings == 1


def test_a_recording_that_does_not_say_who_made_it_is_the_hosts(
    recordings: RecordingFixture, school: School, sample: bytes
) -> None:
    recordings.sql(
        "UPDATE whiteboard_sessions SET host_profile_type = 'tutor', host_profile_id = 11 WHERE id = :id",
        id=recordings.session_id,
    )
    recording_id = recordings.arrive(sample, recorded_by=None, principal="operator:1")
    recordings.perform(IngestRecording, recording_id)
    with recordings.database.transaction() as session:
        assert recordings_of(session, person_ids(session, 2)) == []

    assert erase(recordings.database, 1).recordings == 1
    assert recordings.sql("SELECT 1 FROM whiteboard_session_recordings WHERE id = :id", id=recording_id) == []


def test_nobody_of_that_id(database: Database) -> None:
    with pytest.raises(NotFound):
        erase(database, 99)
    with database.transaction() as session:
        assert session.execute(text("SELECT 1 FROM users")).all() == []

"""Erase one person: jobs stop, recordings are deleted with their objects, rows deleted or anonymised, bookings ended.

Every step is its own transaction and idempotent: after an interruption, run it again. What stays is declared in
models/personal_data.py with its reason. Objects on B2 are removed by the jobs that a deletion orders, spool files of
uploads by the sweep.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from models.personal_data import PERSONAL_TABLES, PersonalTable
from models.states import JOB_LIVE
from worker.access.callers import UserCaller
from worker.access.people_store import deactivate_account
from worker.access.person_ids import PersonIds, person_ids
from worker.bookings.reading import unfinished_bookings
from worker.database import Database
from worker.errors import Conflict, NotFound
from worker.jobs.operations.selection import JobFilter, select_jobs
from worker.schedules.planning import Planning
from worker.workflows.lessons.change_booking import change_booking
from worker.workflows.people.personal_rows import count_rows, erase_batch, personal_table_names, recordings_of
from worker.workflows.people.stop_jobs import stop_jobs
from worker.workflows.recordings.delete_recording import delete_recording

_MAX_JOBS = 1000
# In seconds. A run notices a request to stop within one or two; a run whose worker was killed must lose its lease
# first.
_TIMEOUT = 120.0


@dataclass
class Erasure:
    """What will be, or was, erased: bookings ended, jobs stopped, recordings deleted, rows by table."""

    user_id: int
    bookings: int = 0
    jobs: int = 0
    recordings: int = 0
    rows: dict[str, int] = field(default_factory=dict)


def plan_erasure(database: Database, user_id: int) -> Erasure:
    """What erasing this person would touch; `rows` are all of theirs. Raises NotFound."""
    with database.transaction() as session:
        person = person_ids(session, user_id)
        rows = {name: count_rows(session, name, person) for name in personal_table_names()}
        bookings = unfinished_bookings(session, tutors=person.tutors, students=person.students)
        jobs = select_jobs(session, JobFilter(principal=person.principal), JOB_LIVE, after=None, most=_MAX_JOBS)
        recordings = recordings_of(session, person)
    return Erasure(user_id, len(bookings), len(jobs), len(recordings), {name: n for name, n in rows.items() if n})


def erase_person(
    database: Database, user_id: int, planning: Planning, *, by: str, timeout: float = _TIMEOUT
) -> Erasure:
    """Erase the person; `by` is recorded with the jobs that are stopped. Raises NotFound.

    The other side of each booking is notified that it ended, as if the person had ended it. Running jobs get `timeout`
    seconds to stop: one that continued could still create a recording of the person. Raises Unavailable if one does not
    stop.
    """
    with database.transaction() as session:
        person = person_ids(session, user_id)
        # First, so that the person's token orders nothing more.
        deactivate_account(session, user_id)
    erasure = Erasure(user_id)
    # Before recordings are listed: an abandoned upload becomes one by itself.
    _erase_rows(database, person, erasure, [each for each in PERSONAL_TABLES if each.table == "uploads"])
    erasure.jobs = stop_jobs(database, person.principal, by=by, timeout=timeout)
    erasure.recordings = _delete_recordings(database, person)
    _erase_rows(database, person, erasure, PERSONAL_TABLES)
    # Last, so that the messages to the other side no longer contain the person's name.
    erasure.bookings = _end_bookings(database, person, planning)
    return erasure


def _erase_rows(database: Database, person: PersonIds, erasure: Erasure, tables: Iterable[PersonalTable]) -> None:
    for personal in tables:
        while True:
            with database.transaction() as session:
                erased = erase_batch(session, personal, person)
            if not erased:
                break
            erasure.rows[personal.table] = erasure.rows.get(personal.table, 0) + erased


def _end_bookings(database: Database, person: PersonIds, planning: Planning) -> int:
    with database.transaction() as session:
        bookings = unfinished_bookings(session, tutors=person.tutors, students=person.students)
        ids = [(booking.id, booking.tutor_id, booking.student_id) for booking in bookings]
    for booking_id, tutor_id, student_id in ids:
        caller = UserCaller(
            person.user_id,
            tutor_id=tutor_id if tutor_id in person.tutors else None,
            student_id=student_id if student_id in person.students else None,
        )
        # The other side may have ended it meanwhile.
        with suppress(Conflict), database.transaction() as session:
            change_booking(session, caller, booking_id, {"status": "cancelled"}, planning)
    return len(ids)


def _delete_recordings(database: Database, person: PersonIds) -> int:
    with database.transaction() as session:
        ids = recordings_of(session, person)
    for recording_id in ids:
        with suppress(NotFound), database.transaction() as session:
            delete_recording(session, recording_id, principal="system")
    return len(ids)

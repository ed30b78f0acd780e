"""Erase one person: jobs stop, recordings go with their objects, rows are deleted or anonymised, bookings end.

Every step is a transaction of its own and idempotent: after an interruption, run it again. What stays is declared in
models/personal_data.py with its reason. Objects on B2 are removed by the jobs that a deletion orders, spool files of
uploads by the sweep.
"""

from contextlib import suppress
from dataclasses import dataclass, field

from models.personal_data import PERSONAL_TABLES
from models.states import JOB_LIVE
from worker.access.callers import UserCaller
from worker.access.person_ids import PersonIds, person_ids
from worker.bookings.reading import unfinished_bookings
from worker.database import Database
from worker.errors import Conflict, NotFound
from worker.jobs.cancel import cancel_job
from worker.jobs.recording_orders import RemoveRecordingFiles
from worker.jobs.selection import JobFilter, select_jobs
from worker.schedules.planning import Planning
from worker.workflows.change_booking import change_booking
from worker.workflows.delete_recording import delete_recording
from worker.workflows.failure_hooks import ENDINGS
from worker.workflows.personal_rows import count_rows, erase_batch, personal_table_names, recordings_of

_MOST_JOBS = 1000


@dataclass
class Erasure:
    """What is, or was, to be erased: bookings ended, jobs stopped, recordings deleted, rows by table."""

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
        jobs = select_jobs(session, JobFilter(principal=person.principal), JOB_LIVE, after=None, most=_MOST_JOBS)
        recordings = recordings_of(session, person)
    return Erasure(user_id, len(bookings), len(jobs), len(recordings), {name: n for name, n in rows.items() if n})


def erase_person(database: Database, user_id: int, planning: Planning, *, by: str) -> Erasure:
    """Erase the person; `by` is recorded with the jobs that are stopped. Raises NotFound.

    The other side of each booking is told that it ended, as if the person had ended it.
    """
    with database.transaction() as session:
        person = person_ids(session, user_id)
    erasure = Erasure(user_id)
    erasure.jobs = _stop_jobs(database, person, by)
    erasure.recordings = _delete_recordings(database, person)
    for personal in PERSONAL_TABLES:
        while True:
            with database.transaction() as session:
                erased = erase_batch(session, personal, person)
            if not erased:
                break
            erasure.rows[personal.table] = erasure.rows.get(personal.table, 0) + erased
    # Last, so that the messages to the other side have no name of the person any more.
    erasure.bookings = _end_bookings(database, person, planning)
    return erasure


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


def _stop_jobs(database: Database, person: PersonIds, by: str) -> int:
    """Cancel what the person has ordered, but for the removal of files; one job in each transaction."""
    stopped, after = 0, None
    while True:
        with database.transaction() as session:
            wanted = JobFilter(principal=person.principal)
            jobs = select_jobs(session, wanted, JOB_LIVE, after=after, most=_MOST_JOBS)
        for job in jobs:
            if job.kind == RemoveRecordingFiles.kind:
                continue
            with suppress(Conflict, NotFound), database.transaction() as session:
                cancel_job(session, ENDINGS, job.id, by=by)
                stopped += 1
        if len(jobs) < _MOST_JOBS:
            return stopped
        after = jobs[-1].position


def _delete_recordings(database: Database, person: PersonIds) -> int:
    with database.transaction() as session:
        ids = recordings_of(session, person)
    for recording_id in ids:
        with suppress(NotFound), database.transaction() as session:
            delete_recording(session, recording_id, principal="system")
    return len(ids)

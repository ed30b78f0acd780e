"""Convert a row of the calendar of 2025, and report on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from worker.bookings.platform_bookings import Pair, bookings_of_pairs
from worker.platform.connection import Row
from worker.platform.refusals import Refusal
from worker.recurrence.instants import Instants
from worker.schedules.platform_lessons import PlatformLesson, Seat
from worker.workflows.platform_import.documents.document_people import (
    profiles_of_users,
    stored_profiles,
    without_profile,
)
from worker.workflows.platform_import.kind import IncomingRow, Pull
from worker.workflows.platform_import.unknown_words import unknown_lesson_words
from worker.workflows.platform_import.words import attendance, lesson_status, session_format


@dataclass(frozen=True)
class CalendarPeople:
    """What we store about the people in the rows: tutor profiles, students by user, bookings by pair."""

    tutors: frozenset[int]
    students: Mapping[int, int]
    bookings: Mapping[Pair, int]

    def student(self, row: Row) -> int | None:
        """The profile of the student in a row; None if it names none."""
        return None if row.student_id is None else self.students.get(row.student_id)

    def booking(self, row: Row) -> int | None:
        """The booking of the tutor and the student in a row, or None."""
        student_id = self.student(row)
        return None if student_id is None else self.bookings.get(Pair(row.tutor_id, student_id))


def read_calendar_people(session: Session, rows: Sequence[IncomingRow]) -> CalendarPeople:
    """Read what we store about the people in these rows."""
    students = profiles_of_users(session, "student", [incoming.row.student_id for incoming in rows])
    pairs = {
        Pair(incoming.row.tutor_id, students[incoming.row.student_id])
        for incoming in rows
        if incoming.row.student_id in students
    }
    tutors = stored_profiles(session, "tutor", [incoming.row.tutor_id for incoming in rows])
    return CalendarPeople(tutors, students, bookings_of_pairs(session, pairs))


def calendar_instants(row: Row, pull: Pull) -> Instants:
    """When the row begins and ends. Raises InvalidInput."""
    return pull.lesson_instants(row.schedule_date, row.start_time, row.end_time)


def _status(row: Row) -> str:
    return lesson_status(row.status) or "scheduled"


def calendar_lesson(incoming: IncomingRow, known: CalendarPeople, pull: Pull) -> PlatformLesson | None:
    """The row as a lesson that may collide with others; None if it is not a lesson of a student."""
    row, student_id = incoming.row, known.student(incoming.row)
    if student_id is None:
        return None
    when = calendar_instants(row, pull)
    return PlatformLesson(
        incoming.id,
        row.tutor_id,
        (Seat(student_id, None),),
        row.student_name,
        row.schedule_date,
        row.start_time,
        row.end_time,
        pull.timezone,
        when.starts_at,
        when.ends_at,
        status=_status(row),
        attendance=attendance(row.status),
        subject=row.subject,
        session_format=session_format(row.session_format),
        location=row.location,
        notes=row.notes,
        created_at=None,
    )


def calendar_columns(row: Row, known: CalendarPeople, pull: Pull) -> dict[str, Any]:
    """The columns of the row to store."""
    when, created_at = calendar_instants(row, pull), pull.written_at(row.created_at)
    same = ("tutor_id", "schedule_date", "start_time", "end_time", "subject", "grade_level", "student_name")
    return {
        **{name: getattr(row, name) for name in (*same, "meeting_link", "location", "recurrence_pattern", "notes")},
        "student_id": known.student(row),
        "booking_id": known.booking(row),
        "session_format": session_format(row.session_format),
        "status": _status(row),
        "attendance": attendance(row.status),
        "is_recurring": bool(row.is_recurring),
        "timezone": pull.timezone,
        "starts_at": when.starts_at,
        "ends_at": when.ends_at,
        **({} if created_at is None else {"created_at": created_at}),
    }


def calendar_notes(row: Row, known: CalendarPeople) -> tuple[Refusal, ...]:
    """What was left out of an imported row, or deserves a look."""
    notes = []
    if row.student_id is not None and known.student(row) is None:
        notes.append(without_profile(row.student_id, "student", is_refused=False))
    elif row.student_id is None and row.student_name:
        reason = "it names a student whose account is gone; it is no free slot"
        notes.append(_note("student-gone", reason, "Delete the row on the platform if the time is free again."))
    if row.is_recurring and not (row.recurrence_pattern or "").strip():
        reason = "it recurs, and nobody wrote how; taken as a single one"
        notes.append(_note("recurs-without-words", reason, "Make a series of it here, if it goes on."))
    return *notes, *unknown_lesson_words(row.status, row.session_format)


def _note(code: str, reason: str, remedy: str) -> Refusal:
    return Refusal(code, reason, remedy, is_refused=False)

"""The tutor's calendar of 2025: lessons, free slots, and rows whose student has no account any more.

`tutor_id` is a profile, `student_id` a user. A row is one lesson already, so nothing recurring is expanded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from worker.bookings.platform_bookings import Pair, bookings_of_pairs
from worker.calendars.zones import zone
from worker.platform.connection import Row
from worker.platform.links import Link
from worker.platform.refusals import Refusal
from worker.recurrence.instants import Instants, instants
from worker.schedules.document_calendar import CalendarRow, cancel_calendar_rows, store_calendar_rows
from worker.schedules.platform_lessons import PlatformLesson, Seat
from worker.schedules.platform_overlaps import neighbours
from worker.workflows.platform_import.collisions import find_collisions
from worker.workflows.platform_import.document_bookings import document_source
from worker.workflows.platform_import.document_people import (
    profiles_of_users,
    stored_profiles,
    unknown_profile,
    without_profile,
)
from worker.workflows.platform_import.kind import ImportOutcome, Incoming, Kind, Pull
from worker.workflows.platform_import.lesson_refusals import collision_refusals
from worker.workflows.platform_import.words import attendance, lesson_status, session_format

_WORDS = ("subject", "grade_level", "session_format", "student_name", "meeting_link", "location", "status")


class DocumentCalendar(Kind):
    """All rows of `tutor_schedules`."""

    name = "document_lesson"
    source = document_source(
        "tutor_schedules",
        ("tutor_id",),
        student_id="integer",
        schedule_date="date",
        **dict.fromkeys(("start_time", "end_time"), "time"),
        **dict.fromkeys((*_WORDS, "recurrence_pattern", "notes"), "text"),
        is_recurring="boolean",
        created_at="timestamp",
    )

    def store(self, session: Session, rows: Sequence[Incoming], pull: Pull) -> Sequence[ImportOutcome]:
        known = _read_known(session, rows)
        nobodys = {row.id for row in (incoming.row for incoming in rows) if row.tutor_id not in known.tutors}
        there = [incoming for incoming in rows if incoming.row.id not in nobodys]
        busy = self._collisions(session, there, known, pull)
        free = [incoming for incoming in there if incoming.row.id not in busy]
        calendar = [CalendarRow(incoming.id, _columns(incoming.row, known, pull)) for incoming in free]
        ids = dict(zip((incoming.row.id for incoming in free), store_calendar_rows(session, calendar), strict=True))
        outcomes = []
        for incoming in rows:
            row = incoming.row
            refusals = busy.get(row.id) or _notes(row, known)
            if row.id in nobodys:
                refusals = (unknown_profile(row.tutor_id, "tutor"),)
            outcomes.append(ImportOutcome(row.id, ids.get(row.id, incoming.id), refusals))
        return outcomes

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:  # noqa: ARG002 - as in Kind
        cancel_calendar_rows(session, [link.id for link in links if link.id is not None])

    def may_retry(self, row: Row, pull: Pull) -> bool:
        """Lessons that are over were refused beside others that were there then."""
        return _instants(row, pull).ends_at > pull.now

    def _collisions(
        self, session: Session, rows: Sequence[Incoming], known: "_Known", pull: Pull
    ) -> dict[int, tuple[Refusal, ...]]:
        """Why lessons cannot be stored beside others, by platform id. Rows without a student take nobody's time."""
        lessons = [(incoming.row.id, _lesson(incoming, known, pull)) for incoming in rows]
        taken = [(row_id, lesson) for row_id, lesson in lessons if lesson is not None]
        found = find_collisions([lesson for _, lesson in taken], neighbours(session, [lesson for _, lesson in taken]))
        return collision_refusals(session, [row_id for row_id, _ in taken], found, kind=self.name)


@dataclass(frozen=True)
class _Known:
    """What is stored of the people that rows name: tutor profiles, students by user, bookings by pair."""

    tutors: frozenset[int]
    students: Mapping[int, int]
    bookings: Mapping[Pair, int]

    def student(self, row: Row) -> int | None:
        return None if row.student_id is None else self.students.get(row.student_id)

    def booking(self, row: Row) -> int | None:
        student_id = self.student(row)
        return None if student_id is None else self.bookings.get(Pair(row.tutor_id, student_id))


def _read_known(session: Session, rows: Sequence[Incoming]) -> _Known:
    students = profiles_of_users(session, "student", [incoming.row.student_id for incoming in rows])
    pairs = {
        Pair(incoming.row.tutor_id, students[incoming.row.student_id])
        for incoming in rows
        if incoming.row.student_id in students
    }
    tutors = stored_profiles(session, "tutor", [incoming.row.tutor_id for incoming in rows])
    return _Known(tutors, students, bookings_of_pairs(session, pairs))


def _instants(row: Row, pull: Pull) -> Instants:
    return instants(row.schedule_date, row.start_time, row.end_time, zone(pull.timezone))


def _status(row: Row) -> str:
    return lesson_status(row.status) or "scheduled"


def _lesson(incoming: Incoming, known: _Known, pull: Pull) -> PlatformLesson | None:
    """What collides with others; None for a row that is no lesson of a student."""
    row, student_id = incoming.row, known.student(incoming.row)
    if student_id is None:
        return None
    when = _instants(row, pull)
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


def _columns(row: Row, known: _Known, pull: Pull) -> dict[str, Any]:
    when, created_at = _instants(row, pull), pull.written_at(row.created_at)
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


def _notes(row: Row, known: _Known) -> tuple[Refusal, ...]:
    """What was left out of a row that is taken, or is worth a look."""
    notes = []
    if row.student_id is not None and known.student(row) is None:
        notes.append(without_profile(row.student_id, "student", is_refused=False))
    elif row.student_id is None and row.student_name:
        reason = "it names a student whose account is gone; it is no free slot"
        notes.append(_note("student-gone", reason, "Delete the row on the platform if the time is free again."))
    if row.is_recurring and not (row.recurrence_pattern or "").strip():
        reason = "it recurs, and nobody wrote how; taken as a single one"
        notes.append(_note("recurs-without-words", reason, "Make a series of it here, if it goes on."))
    if lesson_status(row.status) is None:
        notes.append(_note("unknown-status", f"status {row.status!r} is unknown and taken as scheduled", _WORD))
    if row.session_format and session_format(row.session_format) is None:
        notes.append(_note("unknown-format", f"format {row.session_format!r} has no meaning here", _WORD))
    return tuple(notes)


_WORD = "Set a word that the platform knows."


def _note(code: str, reason: str, remedy: str) -> Refusal:
    return Refusal(code, reason, remedy, is_refused=False)

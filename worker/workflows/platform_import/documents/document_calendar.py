"""The tutor's calendar of 2025: lessons, free slots, and rows whose student has no account any more.

`tutor_id` is a profile, `student_id` a user. A row is one lesson already, so nothing recurring is expanded.
"""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from worker.platform.connection import Row
from worker.platform.links import Link
from worker.platform.refusals import Refusal
from worker.schedules.document_calendar import CalendarRow, cancel_calendar_rows, store_calendar_rows
from worker.schedules.platform_overlaps import overlapping_lessons
from worker.workflows.platform_import.bookings.lesson_kinds import DOCUMENT_LESSON
from worker.workflows.platform_import.documents.calendar_rows import (
    CalendarPeople,
    calendar_columns,
    calendar_instants,
    calendar_lesson,
    calendar_notes,
    read_calendar_people,
)
from worker.workflows.platform_import.documents.document_people import unknown_profile
from worker.workflows.platform_import.documents.document_source import document_source
from worker.workflows.platform_import.kind import ImportOutcome, IncomingRow, Kind, Pull
from worker.workflows.platform_import.lessons.collisions import find_collisions
from worker.workflows.platform_import.lessons.lesson_refusals import collision_refusals

_WORDS = ("subject", "grade_level", "session_format", "student_name", "meeting_link", "location", "status")


class DocumentCalendar(Kind):
    """All rows of `tutor_schedules`."""

    name = DOCUMENT_LESSON
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

    # Nothing there tells when a row was changed.
    reads_all = True
    has_local_times = True

    def store(self, session: Session, rows: Sequence[IncomingRow], pull: Pull) -> Sequence[ImportOutcome]:
        known = read_calendar_people(session, rows)
        nobodys = {row.id for row in (incoming.row for incoming in rows) if row.tutor_id not in known.tutors}
        there = [incoming for incoming in rows if incoming.row.id not in nobodys]
        busy = self._collisions(session, there, known, pull)
        free = [incoming for incoming in there if incoming.row.id not in busy]
        calendar = [CalendarRow(incoming.id, calendar_columns(incoming.row, known, pull)) for incoming in free]
        ids = dict(
            zip(
                (incoming.row.id for incoming in free),
                store_calendar_rows(session, calendar, now=pull.now),
                strict=True,
            )
        )
        outcomes = []
        for incoming in rows:
            row = incoming.row
            refusals = busy.get(row.id) or calendar_notes(row, known)
            if row.id in nobodys:
                refusals = (unknown_profile(row.tutor_id, "tutor"),)
            outcomes.append(ImportOutcome(row.id, ids.get(row.id, incoming.id), refusals))
        return outcomes

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:
        cancel_calendar_rows(session, [link.id for link in links if link.id is not None], now=pull.now)

    def may_retry(self, row: Row, pull: Pull) -> bool:
        """Not lessons that have ended: they were refused because of others that were stored then."""
        return calendar_instants(row, pull).ends_at > pull.now

    def _collisions(
        self, session: Session, rows: Sequence[IncomingRow], known: "CalendarPeople", pull: Pull
    ) -> dict[int, tuple[Refusal, ...]]:
        """Why lessons collide with others, by platform id. Rows without a student occupy nobody's time."""
        lessons = [(incoming.row.id, calendar_lesson(incoming, known, pull)) for incoming in rows]
        taken = [(row_id, lesson) for row_id, lesson in lessons if lesson is not None]
        collisions = find_collisions(
            [lesson for _, lesson in taken], overlapping_lessons(session, [lesson for _, lesson in taken])
        )
        return collision_refusals(session, [row_id for row_id, _ in taken], collisions, kind=self.name)

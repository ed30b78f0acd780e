"""Lessons imported from the platform: stored, changed and cancelled in bulk. Nobody is notified.

Callers check for collisions first (`platform_overlaps.py`): the database's constraints would reject them too, but not
name the other lesson.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property
from typing import NamedTuple

from pydantic_core import to_json
from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.calendars.zones import tzdata_version

LIVE = frozenset({"scheduled", "in_progress"})


class Seat(NamedTuple):
    """A student of a lesson, by their booking."""

    student_id: int
    booking_id: int | None


@dataclass(frozen=True)
class PlatformLesson:
    """The columns of a lesson that the platform determines; `id` is None for a new one."""

    id: int | None
    tutor_id: int
    # At least one; the lesson's own row names the first.
    seats: tuple[Seat, ...]
    student_name: str | None
    schedule_date: date
    start_time: time
    end_time: time
    timezone: str
    starts_at: datetime
    ends_at: datetime
    status: str
    attendance: str
    subject: str | None
    session_format: str | None
    location: str | None
    notes: str | None
    # None when unknown: a new lesson is then stored with the current time.
    created_at: datetime | None

    @property
    def is_live(self) -> bool:
        """Whether it occupies its people's time."""
        return self.status in LIVE

    @cached_property
    def students(self) -> frozenset[int]:
        """The profile ids of its students."""
        return frozenset(seat.student_id for seat in self.seats)


class StoredState(NamedTuple):
    """The state of a stored lesson, before the platform's row changes it."""

    status: str
    # `person`: somebody cancelled it here. The platform's own cancellations name nobody.
    cancelled_by: str | None


_IDS = text("SELECT nextval(pg_get_serial_sequence('tutor_schedules', 'id')) FROM generate_series(1, :number)")
_ROW = """
    AS row (id integer, tutor_id integer, student_id integer, booking_id integer, student_name text, schedule_date date,
            start_time time, end_time time, timezone text, starts_at timestamptz, ends_at timestamptz, status text,
            attendance text, subject text, session_format text, location text, notes text, created_at timestamptz)
"""
_CREATE = text(
    f"""
    INSERT INTO tutor_schedules (id, tutor_id, student_id, booking_id, student_name, schedule_date, start_time,
                                 end_time, timezone, starts_at, ends_at, tzdata_version, status, attendance, subject,
                                 session_format, location, notes, created_at)
    SELECT id, tutor_id, student_id, booking_id, left(student_name, 255), schedule_date, start_time, end_time, timezone,
           starts_at, ends_at, :version, status, attendance, left(subject, 100), session_format, left(location, 255),
           notes, coalesce(created_at, now())
      FROM json_to_recordset(CAST(:rows AS json)) {_ROW}
     ORDER BY id
    """  # noqa: S608 - constants of this module
)
_LOCK = text("SELECT id, status, cancelled_by FROM tutor_schedules WHERE id = ANY(:ids) ORDER BY id FOR UPDATE")
# PostgreSQL checks each row as it is written: two lessons that swap places would collide on the way.
_STEP_ASIDE = text("UPDATE tutor_schedules SET status = 'cancelled' WHERE id = ANY(:ids)")
_CHANGE = text(
    f"""
    UPDATE tutor_schedules lesson
       SET tutor_id = row.tutor_id, student_id = row.student_id, booking_id = row.booking_id,
           student_name = left(row.student_name, 255), schedule_date = row.schedule_date, start_time = row.start_time,
           end_time = row.end_time, timezone = row.timezone, starts_at = row.starts_at, ends_at = row.ends_at,
           tzdata_version = :version, status = row.status,
           cancelled_by = CASE WHEN row.status = 'cancelled' THEN lesson.cancelled_by END,
           attendance = CASE WHEN row.attendance = 'unknown' THEN lesson.attendance ELSE row.attendance END,
           subject = left(row.subject, 100), session_format = row.session_format, location = left(row.location, 255),
           notes = row.notes, created_at = coalesce(row.created_at, lesson.created_at), sequence = sequence + 1,
           updated_at = now()
      FROM json_to_recordset(CAST(:rows AS json)) {_ROW}
     WHERE lesson.id = row.id
    """  # noqa: S608 - constants of this module
)
_LEAVE = text(
    """
    DELETE FROM schedule_participants seat
     WHERE schedule_id = ANY(:ids)
       AND (schedule_id, student_id) NOT IN (
           SELECT * FROM unnest(CAST(:lessons AS integer[]), CAST(:students AS integer[])) AS kept (id, student))
    """
)
_TAKE_SEATS = text(
    """
    INSERT INTO schedule_participants (schedule_id, student_id, booking_id, starts_at, ends_at, status)
    SELECT lesson.id, seat.student, seat.booking, lesson.starts_at, lesson.ends_at, lesson.status
      FROM json_to_recordset(CAST(:rows AS json)) AS seat (number integer, lesson integer, student integer,
                                                           booking integer)
      JOIN tutor_schedules lesson ON lesson.id = seat.lesson
     ORDER BY seat.number
        ON CONFLICT (schedule_id, student_id) DO UPDATE SET booking_id = excluded.booking_id
    """
)
_CANCEL = text(
    """
    UPDATE tutor_schedules SET status = 'cancelled', sequence = sequence + 1, updated_at = now()
     WHERE id = ANY(:ids) AND status IN ('scheduled', 'in_progress')
    """
)


def lock_lessons(session: Session, ids: Collection[int]) -> dict[int, StoredState]:
    """Lock these lessons in the order of ids; returns the state of those that still exist."""
    return {row.id: StoredState(row.status, row.cancelled_by) for row in session.execute(_LOCK, {"ids": sorted(ids)})}


def store_lessons(session: Session, lessons: Sequence[PlatformLesson]) -> list[int]:
    """Insert the new lessons and update the others, which the caller has locked; returns their ids in order.

    Raises IntegrityError when one collides with another lesson.
    """
    fresh = iter(session.scalars(_IDS, {"number": sum(lesson.id is None for lesson in lessons)}).all())
    ids = [next(fresh) if lesson.id is None else lesson.id for lesson in lessons]
    placed = list(zip(ids, lessons, strict=True))
    changed = [(lesson_id, lesson) for lesson_id, lesson in placed if lesson.id is not None]
    if changed:
        changed_ids = [lesson_id for lesson_id, _ in changed]
        session.execute(_STEP_ASIDE, {"ids": changed_ids})
        kept = [(lesson_id, student) for lesson_id, lesson in changed for student in lesson.students]
        seats = {"lessons": [lesson_id for lesson_id, _ in kept], "students": [student for _, student in kept]}
        session.execute(_LEAVE, {"ids": changed_ids, **seats})
        session.execute(_CHANGE, {"rows": _rows(changed), "version": tzdata_version()})
    created = [(lesson_id, lesson) for lesson_id, lesson in placed if lesson.id is None]
    if created:
        session.execute(_CREATE, {"rows": _rows(created), "version": tzdata_version()})
    _take_seats(session, placed)
    return ids


def cancel_lessons(session: Session, ids: Collection[int]) -> None:
    """Cancel those of these lessons that have not ended. Idempotent."""
    lock_lessons(session, ids)
    session.execute(_CANCEL, {"ids": sorted(ids)})


def _take_seats(session: Session, placed: Sequence[tuple[int, PlatformLesson]]) -> None:
    seats = [(lesson_id, seat) for lesson_id, lesson in placed for seat in lesson.seats]
    rows = [
        {"number": number, "lesson": lesson_id, "student": seat.student_id, "booking": seat.booking_id}
        for number, (lesson_id, seat) in enumerate(seats)
    ]
    session.execute(_TAKE_SEATS, {"rows": to_json(rows).decode()})


def _rows(placed: Sequence[tuple[int, PlatformLesson]]) -> str:
    return to_json(
        [
            {**vars(lesson), "id": lesson_id, "seats": None, "students": None, **lesson.seats[0]._asdict()}
            for lesson_id, lesson in placed
        ]
    ).decode()

"""Lessons and the people who see them: read before and after a change, to decide whom to notify."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from worker.access.names import name_sql
from worker.reminders.planning.people import PERSON, VIEWS


@dataclass(frozen=True)
class ViewerRole:
    """A person's relation to a lesson: one of VIEWS, and the names of its students that they may see.

    A missing name is an empty string.
    """

    view: str
    students: tuple[str, ...]


@dataclass(frozen=True)
class Lesson:
    """A lesson at one moment. `people` is keyed by user id; empty when it is cancelled or a free slot.

    `is_slot`: nobody has booked it.
    """

    schedule_id: int
    series_id: int | None
    starts_at: datetime
    ends_at: datetime
    timezone: str | None
    subject: str | None
    sequence: int
    tutor: str
    people: Mapping[int, ViewerRole] = field(default_factory=dict)
    is_slot: bool = False


@dataclass(frozen=True)
class Scope:
    """The lessons that a change may affect: these, and the future ones of these series and of a booking."""

    schedule_ids: Sequence[int] = ()
    series_ids: Sequence[int] = ()
    booking_id: int | None = None


_IDS = text(
    """
    SELECT id FROM lessons WHERE id = ANY(:schedule_ids)
     UNION
    SELECT id FROM lessons WHERE series_id = ANY(:series_ids) AND starts_at > :now
     UNION
    SELECT schedule_id FROM booking_lessons WHERE booking_id = :booking_id AND starts_at > :now
    """
)
_LESSONS = text(
    f"""
    SELECT lesson.id, series_id, starts_at, ends_at, lesson.timezone, subject, sequence, is_slot,
           coalesce({name_sql("users", "tutor")}, '') AS tutor
      FROM lessons lesson
      JOIN tutor_profiles tutor ON tutor.id = lesson.tutor_id
      JOIN users ON users.id = tutor.user_id
     WHERE lesson.id = ANY(:ids) AND starts_at IS NOT NULL
    """  # noqa: S608 - a part of our own
)
_PEOPLE = text(
    f"""
    WITH {PERSON}
    SELECT person.schedule_id, person.user_id, person.relation,
           coalesce({name_sql("student", "person")}, '') AS name
      FROM person
      JOIN users ON users.id = person.user_id AND users.is_active
      LEFT JOIN users student ON student.id = person.student_user_id
     ORDER BY person.schedule_id, person.relation, person.student_user_id
    """  # noqa: S608 - a part of our own
)
_KNOWN = text("SELECT DISTINCT schedule_id, user_id FROM deliveries WHERE schedule_id = ANY(:ids)")


def lessons_in(session: Session, scope: Scope, *, now: datetime) -> Sequence[int]:
    """Ids of the lessons of a scope."""
    values = {"schedule_ids": list(scope.schedule_ids), "series_ids": list(scope.series_ids)}
    return session.scalars(_IDS, {**values, "booking_id": scope.booking_id, "now": now}).all()


def read_lessons(session: Session, schedule_ids: Sequence[int]) -> dict[int, Lesson]:
    """The current state of these lessons, including slots and cancelled ones; those without instants are omitted."""
    ids = list(schedule_ids)
    places = _places(session.execute(_PEOPLE, {"ids": ids}).all())
    return {
        row.id: Lesson(
            row.id,
            row.series_id,
            row.starts_at,
            row.ends_at,
            row.timezone,
            row.subject,
            row.sequence,
            row.tutor,
            places.get(row.id, {}),
            row.is_slot,
        )
        for row in session.execute(_LESSONS, {"ids": ids})
    }


def known_lessons(session: Session, schedule_ids: Sequence[int]) -> set[tuple[int, int]]:
    """Which people know which of these lessons (lesson, user): a message about it to them exists or was planned."""
    return {(row.schedule_id, row.user_id) for row in session.execute(_KNOWN, {"ids": list(schedule_ids)})}


def _places(rows: Sequence[Row[Any]]) -> dict[int, dict[int, ViewerRole]]:
    """The first row of each person counts: one who is tutor and parent of the same lesson counts as its tutor."""
    everybody: dict[int, list[str]] = defaultdict(list)
    views: dict[tuple[int, int], int] = {}
    theirs: dict[tuple[int, int], list[str]] = defaultdict(list)
    for row in rows:
        if row.relation == 2:
            everybody[row.schedule_id].append(row.name)
        view = views.setdefault((row.schedule_id, row.user_id), row.relation)
        if row.relation > 1 and view == row.relation:
            theirs[row.schedule_id, row.user_id].append(row.name)
    places: dict[int, dict[int, ViewerRole]] = defaultdict(dict)
    for (schedule_id, user_id), view in views.items():
        students = everybody[schedule_id] if view == 1 else theirs[schedule_id, user_id]
        places[schedule_id][user_id] = ViewerRole(VIEWS[view - 1], tuple(students))
    return places

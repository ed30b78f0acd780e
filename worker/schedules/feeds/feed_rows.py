"""A row of a lesson as the owner of a feed may see it."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sqlalchemy import Row

from models.schedules import Schedule
from worker.access.names import STUDENT
from worker.schedules.feeds.addresses import FeedOwner
from worker.schedules.feeds.events import FeedLesson, View

# Names by student id.
Students = Mapping[int, str]
# Columns that an event copies unchanged.
COLUMNS = tuple(field.name for field in fields(FeedLesson) if field.name in Schedule.__table__.columns)


def feed_lesson(row: Row[*tuple[Any, ...]], owner: FeedOwner, children: Students, participants: Students) -> FeedLesson:
    """The lesson of a row; `participants` are its students by id."""
    known = participants or ({} if row.student_id is None else {row.student_id: children.get(row.student_id, STUDENT)})
    view = _view(row.tutor_id, owner, known)
    return FeedLesson(
        view=view,
        students=_names(view, row, children, known),
        # Taught to somebody without an account: no slot.
        is_slot=row.student_id is None and not row.student_name,
        tutor=row.tutor or "",
        **{name: getattr(row, name) for name in COLUMNS},
    )


def _view(tutor_id: int, owner: FeedOwner, students: Students) -> View:
    if tutor_id == owner.tutor_id:
        return "tutor"
    return "student" if owner.student_id in students else "parent"


def _names(view: View, row: Row[*tuple[Any, ...]], children: Students, students: Students) -> tuple[str, ...]:
    """Students whose names the reader may see: a tutor all, a parent their children, a student none."""
    if view == "student":
        return ()
    if view == "parent":
        return tuple(name for student_id, name in students.items() if student_id in children)
    # For its first student, the row's own name takes precedence: the tutor knows them by it.
    named = {row.student_id: row.student_name} if row.student_name else {}
    return tuple(filter(None, {**students, **named}.values()))

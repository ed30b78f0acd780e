"""Days of a series that people exclude."""

from datetime import date

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.series import ScheduleSkip


def exclude(session: Session, series_id: int, days: frozenset[date]) -> None:
    """Record these days as skipped on a person's request, replacing any other recorded reason."""
    if days:
        statement = insert(ScheduleSkip).values(series_id=series_id, reason="excluded")
        statement = statement.on_conflict_do_update(
            index_elements=["series_id", "occurrence_date", "student_id"],
            set_={"reason": "excluded", "schedule_id": None},
        )
        for day in sorted(days):
            session.execute(statement.values(occurrence_date=day))


def exclude_for_student(session: Session, series_id: int, student_id: int, days: frozenset[date]) -> None:
    """Record days on which this student cannot come. The others keep their lesson, and recorded reasons stay."""
    skip = insert(ScheduleSkip).values(series_id=series_id, student_id=student_id, reason="excluded")
    for day in sorted(days):
        session.execute(skip.values(occurrence_date=day).on_conflict_do_nothing())

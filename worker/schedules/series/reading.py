"""Read the series that the caller may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import Session

from models.series import ScheduleSkip, Series, SeriesParticipant
from worker.access.callers import Caller, Operator
from worker.errors import NotFound
from worker.schedules.reading import students_of


@dataclass(frozen=True)
class SeriesView:
    """A series and what the caller may see of its students: the tutor everything, others only their own part."""

    series: Series
    participants: Sequence[SeriesParticipant]
    skips: Sequence[ScheduleSkip]


def find_series(session: Session, caller: Caller, series_id: int) -> Series:
    """The series. Raises NotFound when the caller may not see it."""
    statement = select(Series).where(Series.id == series_id, _visible_series(session, caller))
    series = session.scalar(statement)
    if series is None:
        raise NotFound(f"There is no series {series_id}.")
    return series


def list_series(
    session: Session, caller: Caller, *, status: str | None, before: int | None, limit: int
) -> Sequence[Series]:
    """At most `limit` series, newest first, all with ids below `before` (None: from the newest)."""
    statement = select(Series).where(_visible_series(session, caller))
    if status is not None:
        statement = statement.where(Series.status == status)
    if before is not None:
        statement = statement.where(Series.id < before)
    return session.scalars(statement.order_by(Series.id.desc()).limit(limit)).all()


def view_series(session: Session, caller: Caller, series: Series) -> SeriesView:
    """The series, its students in the order in which they joined, and its skips by day."""
    people = select(SeriesParticipant).where(SeriesParticipant.series_id == series.id)
    skips = select(ScheduleSkip).where(ScheduleSkip.series_id == series.id)
    if not isinstance(caller, Operator) and caller.tutor_id != series.tutor_id:
        theirs = students_of(session, caller)
        people = people.where(SeriesParticipant.student_id.in_(theirs))
        skips = skips.where(or_(ScheduleSkip.student_id.is_(None), ScheduleSkip.student_id.in_(theirs)))
    people = people.order_by(SeriesParticipant.created_at, SeriesParticipant.student_id)
    skips = skips.order_by(ScheduleSkip.occurrence_date, ScheduleSkip.id)
    return SeriesView(series, session.scalars(people).all(), session.scalars(skips).all())


def first_series_of(session: Session, booking_id: int) -> Series | None:
    """The series that a booking made or joined; the series split from it have higher ids."""
    statement = select(Series).join(SeriesParticipant, SeriesParticipant.series_id == Series.id)
    return session.scalar(statement.where(SeriesParticipant.booking_id == booking_id).order_by(Series.id).limit(1))


def unwanted_skips(session: Session, series_id: int, student_id: int, since: date) -> Sequence[ScheduleSkip]:
    """Days from `since` on that the student skips although nobody excluded them; by day."""
    skips = select(ScheduleSkip).where(
        ScheduleSkip.series_id == series_id,
        ScheduleSkip.reason != "excluded",
        ScheduleSkip.student_id.is_(None) | (ScheduleSkip.student_id == student_id),
        ScheduleSkip.occurrence_date >= since,
    )
    return session.scalars(skips.order_by(ScheduleSkip.occurrence_date, ScheduleSkip.id)).all()


def split_from(session: Session, series_ids: Sequence[int]) -> Mapping[int, int]:
    """The series that were split from these, mapped to the one they came from; by id, the oldest first."""
    if not series_ids:
        return {}
    statement = select(Series.id, Series.split_from_id).where(Series.split_from_id.in_(series_ids)).order_by(Series.id)
    return {row.id: row.split_from_id for row in session.execute(statement)}


def _visible_series(session: Session, caller: Caller) -> ColumnElement[bool]:
    """A predicate on Series: the tutor's own, and those that the student or a parent's child takes part in."""
    if isinstance(caller, Operator):
        return true()
    conditions: list[ColumnElement[bool]] = []
    if caller.tutor_id is not None:
        conditions.append(Series.tutor_id == caller.tutor_id)
    if students := students_of(session, caller):
        seats = select(SeriesParticipant.series_id).where(SeriesParticipant.student_id.in_(students))
        conditions.append(Series.id.in_(seats))
    return or_(false(), *conditions)

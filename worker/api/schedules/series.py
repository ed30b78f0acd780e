"""Series of lessons: `/v1/series`."""

from datetime import date, datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy.orm import Session

from models.series import Series
from worker import clock
from worker.access.callers import Caller
from worker.api.http.callers import CallerOf
from worker.api.http.fields import Body, Day, Document, LocalTime, RowId
from worker.api.http.paging import BY_ID, Cursor, Limit, Page
from worker.api.http.problems import responses
from worker.api.http.time_fields import MAX_DATES
from worker.api.services import ServicesOf
from worker.schedules.series.occurrences import recurrence_of
from worker.schedules.series.reading import SeriesView, find_series, list_series, view_series
from worker.schedules.skips import DaySkip
from worker.workflows.lessons.change_lessons import change_lessons

router = APIRouter(prefix="/v1/series", tags=["schedules"], responses=responses(401, 403, 404, 422, 503))

SeriesStatus = Literal["active", "paused", "completed", "cancelled"]


class DaysToSkip(Body):
    """Days of a series."""

    dates: Annotated[list[Day], Field(min_length=1, max_length=MAX_DATES, fail_fast=True)]


class SeriesDocument(Document):
    """A series: when its lessons are, and the fields that they share."""

    id: int
    tutor_id: int
    has_students: bool
    package_name: str | None
    schedule_date: date
    start_time: LocalTime
    end_time: LocalTime
    timezone: str
    rrule: str | None
    dates: list[date] | None
    recurrence_pattern: str
    subject: str | None
    grade_level: str | None
    session_format: str | None
    meeting_link: str | None
    location: str | None
    notes: str | None
    status: str
    expanded_until: date | None
    split_from_id: int | None
    created_at: datetime
    updated_at: datetime


class SeriesParticipantDocument(Document):
    """A student of a series, and the booking that entitles them."""

    student_id: int
    booking_id: int


class SkipDocument(Document):
    """A day without a lesson, or without one for this student, and why."""

    occurrence_date: date
    student_id: int | None
    reason: str
    schedule_id: int | None


class SeriesWithPeople(SeriesDocument):
    """A series, its students and its skips; `text` is the rule in plain English, with the excluded days."""

    text: str
    exdates: list[date]
    participants: list[SeriesParticipantDocument]
    skips: list[SkipDocument]

    @classmethod
    def of(cls, view: SeriesView) -> Self:
        """The document of a series, with what the caller may see of it."""
        excluded = sorted(skip.occurrence_date for skip in view.skips if skip.reason == "excluded")
        own = {
            "text": recurrence_of(view.series, excluded).text(),
            "exdates": excluded,
            "participants": [SeriesParticipantDocument.model_validate(row) for row in view.participants],
            "skips": [SkipDocument.model_validate(skip) for skip in view.skips],
        }
        return cls.model_validate(SeriesDocument.model_validate(view.series).model_dump() | own)


@router.get("", summary="List series")
def get_all_series(
    caller: CallerOf,
    services: ServicesOf,
    status: SeriesStatus | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[SeriesDocument]:
    """The series of the tutor, of the student, or of a parent's children; newest first."""
    with services.acting(caller) as session:
        rows = list_series(session, caller, status=status, before=BY_ID.decode(cursor), limit=limit + 1)
        items = [SeriesDocument.model_validate(series) for series in rows[:limit]]
    return Page(items=items, next=BY_ID.after([series.id for series in rows], limit))


@router.get("/{series_id}", summary="Read a series")
def get_series(series_id: RowId, caller: CallerOf, services: ServicesOf) -> SeriesWithPeople:
    """A series with its students and its days without lessons."""
    with services.acting(caller) as session:
        return _document(session, caller, find_series(session, caller, series_id))


@router.post("/{series_id}/skip", responses=responses(409), summary="Skip days")
def post_skip(series_id: RowId, body: DaysToSkip, caller: CallerOf, services: ServicesOf) -> SeriesWithPeople:
    """Cancel the lessons on these days permanently."""
    skip = DaySkip(series_id, frozenset(body.dates), clock.now())
    with services.acting(caller) as session:
        return _document(session, caller, change_lessons(session, caller, skip))


def _document(session: Session, caller: Caller, series: Series) -> SeriesWithPeople:
    return SeriesWithPeople.of(view_series(session, caller, series))

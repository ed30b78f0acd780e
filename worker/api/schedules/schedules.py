"""Lessons and free slots: `/v1/schedules`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session
from starlette.responses import Response

from models.schedules import Schedule
from worker import clock
from worker.access.callers import Caller, tutor_of
from worker.api.http.callers import CallerOf
from worker.api.http.fields import Flag, RowId
from worker.api.http.idempotent import OnceOf, created
from worker.api.http.paging import BY_TIME, Cursor, Limit, Page
from worker.api.http.problems import responses
from worker.api.http.time_params import From, To, moment
from worker.api.schedules.schedule_documents import ChangedSchedule, MadeDocument, ScheduleDocument, ScheduleStatus
from worker.api.schedules.schedule_requests import Calendar, NewSchedule, ScheduleChange, Scope, SlotBooking
from worker.api.services import Services, ServicesOf
from worker.jobs.idempotency import StoredResponse
from worker.schedules.cancelling import LessonCancellation
from worker.schedules.changes import LessonChange
from worker.schedules.date_range import Range
from worker.schedules.reading import find_lesson, list_lessons
from worker.schedules.requests import LessonRequest, try_lessons, zone_of_tutor
from worker.schedules.reserve_slot import SlotReservation
from worker.schedules.series.create_series import CreationResult
from worker.schedules.viewing import LessonView, view_lessons
from worker.workflows.lessons.change_lessons import change_lessons, make_lessons

router = APIRouter(prefix="/v1/schedules", tags=["schedules"], responses=responses(401, 403, 404, 422, 503))

SkipConflicts = Annotated[Flag, Query(description="Store the rest, and record each lesson that collides.")]
ScopeOf = Annotated[Scope, Query(description="This lesson, this and the following, or all of its series.")]


@router.post(
    "",
    status_code=201,
    response_model=MadeDocument,
    responses={200: {"model": MadeDocument, "description": "What a dry run would make."}, **responses(409)},
    summary="Make lessons",
)
def post_schedules(
    body: NewSchedule,
    caller: CallerOf,
    once: OnceOf,
    services: ServicesOf,
    dry_run: Annotated[Flag, Query(description="Answer the same, with 200, and store nothing.")] = False,
    skip_conflicts: SkipConflicts = False,
    calendar: Calendar = "gregorian",
) -> Response:
    """Make a series or a single lesson of a booking, or free slots. Nothing is stored if one collides (409)."""
    planning = services.planning(skip_conflicts=skip_conflicts)
    with services.acting(caller) as session:
        request = _lesson_request(session, caller, body, services, calendar)
        if dry_run:
            document = MadeDocument.of(try_lessons(session, request, planning), calendar, dry_run=True)
            return Response(document.model_dump_json(), media_type="application/json")

        def make() -> StoredResponse:
            result = make_lessons(session, request, planning)
            return created(_location(result), MadeDocument.of(result, calendar, dry_run=False))

        return once.answer(session, body, make)


@router.get("", response_model=Page[ScheduleDocument], summary="List lessons")
def get_schedules(
    caller: CallerOf,
    services: ServicesOf,
    since: From,
    until: To,
    status: ScheduleStatus | None = None,
    calendar: Calendar = "gregorian",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """The caller's calendar by time: a tutor's lessons and slots, a student's lessons, those of a parent's children."""
    window = Range(moment("from", since), moment("to", until))
    after = BY_TIME.decode(cursor)
    with services.acting(caller) as session:
        lessons = list_lessons(session, caller, window, status=status, after=after, limit=limit + 1)
        items = [ScheduleDocument.of(view, calendar) for view in view_lessons(session, caller, lessons[:limit])]
    page = Page[ScheduleDocument](items=items, next=BY_TIME.after(_positions(lessons), limit))
    # Serialised here: the framework would validate every item again, which costs as much as reading them.
    return Response(page.model_dump_json(), media_type="application/json")


@router.get("/{schedule_id}", summary="Read a lesson")
def get_schedule(
    schedule_id: RowId, caller: CallerOf, services: ServicesOf, calendar: Calendar = "gregorian"
) -> ScheduleDocument:
    """One lesson that the caller may see."""
    with services.acting(caller) as session:
        return ScheduleDocument.of(_view(session, caller, find_lesson(session, caller, schedule_id)), calendar)


@router.patch("/{schedule_id}", responses=responses(409), summary="Change lessons")
def patch_schedule(
    schedule_id: RowId,
    body: ScheduleChange,
    caller: CallerOf,
    services: ServicesOf,
    scope: ScopeOf = "one",
    skip_conflicts: SkipConflicts = False,
) -> ChangedSchedule:
    """Change a lesson as its tutor, this and the following, or its whole series. Past lessons stay as they are."""
    planning = services.planning(skip_conflicts=skip_conflicts)
    change = LessonChange(schedule_id, body.model_dump(exclude_unset=True), scope, planning)
    with services.acting(caller) as session:
        lesson, conflicts = change_lessons(session, caller, change)
        return ChangedSchedule.after(_view(session, caller, lesson), conflicts)


@router.post("/{schedule_id}/cancel", responses=responses(409), summary="Cancel lessons")
def post_cancel(schedule_id: RowId, caller: CallerOf, services: ServicesOf, scope: ScopeOf = "one") -> ScheduleDocument:
    """Cancel a lesson, this and the following, or its whole series; a student releases a slot that they booked."""
    cancellation = LessonCancellation(schedule_id, scope, clock.now())
    with services.acting(caller) as session:
        lesson = change_lessons(session, caller, cancellation)
        return ScheduleDocument.of(_view(session, caller, lesson), "gregorian")


@router.post("/{schedule_id}/book", responses=responses(409), summary="Book a free slot")
def post_book(
    schedule_id: RowId, caller: CallerOf, services: ServicesOf, body: SlotBooking | None = None
) -> ScheduleDocument:
    """Book a free slot, as a student or as a parent for their child."""
    who = body or SlotBooking()
    reservation = SlotReservation(schedule_id, who.student_id, who.booking_id, clock.now())
    with services.acting(caller) as session:
        lesson = change_lessons(session, caller, reservation)
        return ScheduleDocument.of(_view(session, caller, lesson), "gregorian")


def _lesson_request(
    session: Session, caller: Caller, body: NewSchedule, services: Services, calendar: str
) -> LessonRequest:
    tutor_id = tutor_of(caller)
    timezone = body.timezone or zone_of_tutor(session, tutor_id, services.settings.timezone)
    return body.lesson_request(tutor_id, timezone, calendar)


def _location(result: CreationResult) -> str:
    if result.series_id is not None:
        return f"/v1/series/{result.series_id}"
    return f"/v1/schedules/{result.schedule_id}"


def _view(session: Session, caller: Caller, lesson: Schedule) -> LessonView:
    return view_lessons(session, caller, [lesson])[0]


def _positions(lessons: Sequence[Schedule]) -> list[tuple[datetime | None, int]]:
    return [(lesson.starts_at, lesson.id) for lesson in lessons]

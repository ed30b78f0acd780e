"""The caller's own students: `/v1/me/students`."""

from datetime import date, datetime

from fastapi import APIRouter
from pydantic import Field

from worker import clock
from worker.api.http.callers import CallerOf
from worker.api.http.fields import Document, LocalTime
from worker.api.http.paging import BY_ID, Cursor, Limit, Page
from worker.api.http.problems import responses
from worker.api.schedules.bookings import BookingDocument, BookingStatus
from worker.api.services import ServicesOf
from worker.bookings.students import list_students

router = APIRouter(prefix="/v1/me", tags=["bookings"], responses=responses(401, 403, 422, 503))


class NextLessonDocument(Document):
    """The current or next lesson; times are local to `timezone`."""

    schedule_id: int = Field(validation_alias="id")
    series_id: int | None
    subject: str | None
    schedule_date: date
    start_time: LocalTime
    end_time: LocalTime
    timezone: str | None
    starts_at: datetime
    ends_at: datetime
    status: str


class StudentDocument(Document):
    """A student with all their bookings, newest first, and their next lesson."""

    student_id: int
    student_name: str
    grade_level: str | None
    bookings: list[BookingDocument]
    next_lesson: NextLessonDocument | None


@router.get("/students", summary="List my students")
def get_students(
    caller: CallerOf,
    services: ServicesOf,
    status: BookingStatus | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[StudentDocument]:
    """The tutor's students, each once, newest bookings first; `status` filters by the status of the bookings."""
    with services.database.transaction() as session:
        students = list_students(
            session, caller, status=status, before=BY_ID.decode(cursor), limit=limit + 1, now=clock.now()
        )
        items = [StudentDocument.model_validate(student) for student in students[:limit]]
    return Page(items=items, next=BY_ID.after([student.position for student in students], limit))

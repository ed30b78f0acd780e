"""Bookings: `/v1/bookings`."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import AfterValidator, Field
from starlette.responses import Response

from worker import clock
from worker.access.callers import Caller
from worker.api.http.callers import CallerOf
from worker.api.http.fields import AsJson, Body, Day, Document, Number, Price, RowId, Words
from worker.api.http.idempotent import OnceOf, created
from worker.api.http.paging import BY_ID, Cursor, Limit, Page
from worker.api.http.problems import responses
from worker.api.services import Services, ServicesOf
from worker.bookings.booking_commands import Answer as BookingAnswer
from worker.bookings.reading import find_booking, list_bookings
from worker.bookings.statuses import accepted, declined, ended
from worker.jobs.idempotency import StoredResponse
from worker.workflows.lessons.change_booking import answer_booking, change_booking, offer_booking

router = APIRouter(prefix="/v1/bookings", tags=["bookings"], responses=responses(401, 403, 404, 422, 503))

BookingStatus = Literal["pending", "active", "paused", "completed", "cancelled", "declined"]
SessionFormat = Literal["online", "in-person", "hybrid"]
MinutesOfADay = Annotated[int, Field(strict=True, ge=1, le=24 * 60), AsJson]
PerWeek = Annotated[int, Field(strict=True, ge=1, le=7 * 24), AsJson]


def _stripped(name: str) -> str:
    if not name.strip():
        raise ValueError("must not be empty")
    return name.strip()


PackageName = Annotated[Words, Field(min_length=1, max_length=255), AfterValidator(_stripped)]


class BookingFields(Body):
    """The fields that can be set when a booking is made and later: minutes, lessons a week, price of one lesson."""

    subject: Annotated[Words, Field(max_length=200)] | None = None
    grade_level: Annotated[Words, Field(max_length=100)] | None = None
    session_type: SessionFormat | None = None
    sessions_per_week: PerWeek | None = None
    session_duration: MinutesOfADay | None = None
    start_date: Day | None = None
    end_date: Day | None = None
    price_per_session: Price | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    notes: Annotated[Words, Field(max_length=10_000)] | None = None


class NewBooking(BookingFields):
    """A booking that the calling tutor offers to a student."""

    student_id: Number
    # The students of a package share lessons, so it cannot be changed later.
    package_name: PackageName | None = None


class BookingChange(BookingFields):
    """Only the fields that are sent change. A booking that has ended stays as it is."""

    status: Literal["active", "paused", "completed", "cancelled"] = "active"


class BookingDocument(Document):
    """A booking."""

    id: int
    tutor_id: int
    student_id: int
    subject: str | None
    grade_level: str | None
    session_type: str | None
    sessions_per_week: int | None
    session_duration: int | None
    start_date: date | None
    end_date: date | None
    status: str
    price_per_session: Price | None
    currency: str | None
    notes: str | None
    package_name: str | None
    created_at: datetime


@router.post("", status_code=201, response_model=BookingDocument, responses=responses(409), summary="Offer a booking")
def post_booking(body: NewBooking, caller: CallerOf, once: OnceOf, services: ServicesOf) -> Response:
    """Offer a booking as the calling tutor; it is `pending` until the student or a parent accepts it.

    The response is the same whether or not a student with this id exists.
    """
    values = body.model_dump(exclude_unset=True, exclude={"student_id"})
    with services.acting(caller) as session:

        def make() -> StoredResponse:
            services.counters.spend(session, services.rates.bookings, caller.principal)
            booking = offer_booking(session, caller, student_id=body.student_id, values=values, now=clock.now())
            return created(f"/v1/bookings/{booking.id}", BookingDocument.model_validate(booking))

        return once.answer(session, body, make)


@router.get("", summary="List bookings")
def get_bookings(
    caller: CallerOf,
    services: ServicesOf,
    status: BookingStatus | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[BookingDocument]:
    """The tutor's bookings, the student's, and those of a parent's children; newest first."""
    with services.acting(caller) as session:
        bookings = list_bookings(session, caller, status=status, before=BY_ID.decode(cursor), limit=limit + 1)
        items = [BookingDocument.model_validate(booking) for booking in bookings[:limit]]
    return Page(items=items, next=BY_ID.after([booking.id for booking in bookings], limit))


@router.get("/{booking_id}", summary="Read a booking")
def get_booking(booking_id: RowId, caller: CallerOf, services: ServicesOf) -> BookingDocument:
    """One booking that the caller may see."""
    with services.acting(caller) as session:
        return BookingDocument.model_validate(find_booking(session, caller, booking_id))


@router.patch("/{booking_id}", responses=responses(409), summary="Change a booking")
def patch_booking(booking_id: RowId, body: BookingChange, caller: CallerOf, services: ServicesOf) -> BookingDocument:
    """Change, pause, resume or end a booking, and with it its future lessons.

    The tutor may change every field. Student and parents may change its status: `active` accepts, `completed` and
    `cancelled` end it. A pending booking that is ended becomes `declined`.
    """
    changes = body.model_dump(exclude_unset=True)
    with services.acting(caller) as session:
        booking = change_booking(session, caller, booking_id, changes, services.planning())
        return BookingDocument.model_validate(booking)


@router.post("/{booking_id}/accept", responses=responses(409), summary="Accept a booking")
def post_accept_booking(booking_id: RowId, caller: CallerOf, services: ServicesOf) -> BookingDocument:
    """Accept a pending booking, as the student or a parent. Idempotent."""
    return _answered(services, caller, booking_id, accepted)


@router.post("/{booking_id}/decline", responses=responses(409), summary="Decline a booking")
def post_decline_booking(booking_id: RowId, caller: CallerOf, services: ServicesOf) -> BookingDocument:
    """Decline a pending booking, as the student or a parent. Idempotent."""
    return _answered(services, caller, booking_id, declined)


@router.post("/{booking_id}/end", responses=responses(409), summary="End a booking")
def post_end_booking(booking_id: RowId, caller: CallerOf, services: ServicesOf) -> BookingDocument:
    """End a booking and its future lessons, as the tutor, the student or a parent. Idempotent."""
    return _answered(services, caller, booking_id, ended)


def _answered(services: Services, caller: Caller, booking_id: int, transition: BookingAnswer) -> BookingDocument:
    with services.acting(caller) as session:
        booking = answer_booking(session, caller, booking_id, transition, services.planning())
        return BookingDocument.model_validate(booking)

"""What the routes of requests take and give: the columns of `session_requests`."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from worker.api.bookings import BookingDocument, BookingFields, PackageName
from worker.api.fields import Body, Document, Number, Words
from worker.api.schedule_documents import ConflictDocument
from worker.api.time_fields import Name, TimeFields


class WishedTimesFields(TimeFields):
    """When lessons are wished, in the words of `POST /v1/schedules`; what is null was not said.

    Times are local to `timezone` (the tutor's, when it is not named). Without `schedule_date`: from now on.
    """

    calendar: Name | None = None


class NewSessionRequest(Body):
    """A wish for lessons. A student asks for themselves; a parent says with `student_id` which child will learn."""

    tutor_id: Number
    student_id: Number | None = None
    package_name: PackageName | None = None
    student_name: Annotated[Words, Field(max_length=255)] | None = None
    student_grade: Annotated[Words, Field(max_length=50)] | None = None
    message: Annotated[Words, Field(max_length=10_000)] | None = None
    contact_phone: Annotated[Words, Field(max_length=20)] | None = None
    contact_email: Annotated[Words, Field(max_length=255)] | None = None
    schedule: WishedTimesFields | None = None


class RequestAcceptance(BookingFields):
    """What the tutor says of the booking; what is not sent comes from the request and its times."""


class RequestRejection(Body):
    """Why not. The reason is not kept: the tables have no place for it."""

    reason: Annotated[Words, Field(max_length=10_000)] | None = None


class SessionRequestDocument(Document):
    """A request; `booking_id` is what its acceptance made."""

    id: int
    tutor_id: int
    requester_id: int
    requester_type: str
    student_id: int | None
    package_name: str | None
    status: str
    student_name: str | None
    student_grade: str | None
    message: str | None
    contact_phone: str | None
    contact_email: str | None
    schedule: dict[str, Any] | None
    booking_id: int | None
    created_at: datetime
    responded_at: datetime | None


class AcceptedDocument(SessionRequestDocument):
    """An accepted request with its booking, its series (`text`: its rule in plain English), and what collides."""

    booking: BookingDocument
    series_id: int | None
    text: str | None
    conflicts: list[ConflictDocument]

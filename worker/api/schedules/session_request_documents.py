"""Request and response documents of the session requests' routes: the columns of `session_requests`."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from worker.access.names import STUDENT
from worker.api.http.fields import Body, Document, Number, Words
from worker.api.http.time_fields import Name, TimeFields
from worker.api.schedules.bookings import BookingDocument, BookingFields, PackageName
from worker.api.schedules.schedule_documents import ConflictDocument


class RequestedTimesFields(TimeFields):
    """The requested times, in the fields of `POST /v1/schedules`; null means not specified.

    Times are local to `timezone` (default: the tutor's). Without `schedule_date`: from now on.
    """

    calendar: Name | None = None


class NewSessionRequest(Body):
    """A request for lessons. A student asks for themselves; a parent names the child in `student_id`."""

    tutor_id: Number
    student_id: Number | None = None
    package_name: PackageName | None = None
    student_name: Annotated[Words, Field(max_length=255)] | None = None
    student_grade: Annotated[Words, Field(max_length=50)] | None = None
    message: Annotated[Words, Field(max_length=10_000)] | None = None
    contact_phone: Annotated[Words, Field(max_length=20)] | None = None
    contact_email: Annotated[Words, Field(max_length=255)] | None = None
    schedule: RequestedTimesFields | None = None


class RequestAcceptance(BookingFields):
    """The tutor's values for the booking; fields that are not sent are taken from the request and its times."""


class RequestRejection(Body):
    """Why the request is rejected. The reason is not stored: the tables have no column for it."""

    reason: Annotated[Words, Field(max_length=10_000)] | None = None


class SessionRequestDocument(Document):
    """A request; `booking_id` is the booking that its acceptance made."""

    id: int
    tutor_id: int
    requester_id: int
    requester_type: str
    student_id: int | None
    package_name: str | None
    status: str
    student_name: Annotated[str, BeforeValidator(lambda name: name or STUDENT)]
    student_grade: str | None
    message: str | None
    contact_phone: str | None
    contact_email: str | None
    schedule: dict[str, Any] | None
    booking_id: int | None
    created_at: datetime
    responded_at: datetime | None


class AcceptedDocument(SessionRequestDocument):
    """An accepted request with its booking, its series (`text`: its rule in plain English), and the conflicts."""

    booking: BookingDocument
    series_id: int | None
    text: str | None
    conflicts: list[ConflictDocument]

"""Request and response documents of the whiteboard's routes: the columns of its tables."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from models.whiteboards import WhiteboardPage, WhiteboardSession
from worker.api.http.fields import Body, Document, Instant, Number, Words

SessionStatus = Literal["scheduled", "in_progress", "completed", "cancelled"]
ProfileType = Literal["tutor", "student", "parent"]
Colour = Annotated[
    str,
    Field(
        pattern="^(#([0-9A-Fa-f]{3,4}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})|[A-Za-z]{3,20})$",
        description="CSS: `#rgb`, `#rrggbb`, with alpha, or a name.",
    ),
]

_MAX_PARTICIPANTS = 50


class Permissions(Body):
    """What participants may do on the board. A field that is not sent keeps its value, initially false."""

    can_draw: Annotated[bool, Field(strict=True)] = False
    can_erase: Annotated[bool, Field(strict=True)] = False
    can_write: Annotated[bool, Field(strict=True)] = False


class SessionFields(Body):
    """The fields that can be set when a session is opened and later."""

    session_title: Annotated[Words, Field(max_length=300)] | None = None
    session_description: Annotated[Words, Field(max_length=10_000)] | None = None
    scheduled_start: Instant | None = None
    scheduled_end: Instant | None = None
    student_permissions: Permissions = Permissions()


class NewSession(SessionFields):
    """A session of a booking or, without one, a session hosted by the caller with these participants."""

    platform_session_id: Number | None = None
    booking_id: Number | None = None
    schedule_id: Number | None = None
    host_profile_type: Literal["tutor", "student"] | None = None
    participant_profile_ids: Annotated[
        list[Number], Field(max_length=_MAX_PARTICIPANTS, fail_fast=True, default_factory=list)
    ]
    participant_profile_types: Annotated[
        list[ProfileType], Field(max_length=_MAX_PARTICIPANTS, fail_fast=True, default_factory=list)
    ]

    @model_validator(mode="after")
    def _each_id_has_a_type(self) -> Self:
        if len(self.participant_profile_ids) != len(self.participant_profile_types):
            raise ValueError("participant_profile_ids and participant_profile_types must be of one length")
        return self

    @model_validator(mode="after")
    def _the_platform_says_who_and_what(self) -> Self:
        given = self.model_fields_set & {"booking_id", "schedule_id", "participant_profile_ids"}
        if self.platform_session_id is not None and any(getattr(self, name) for name in given):
            raise ValueError(f"a session of the platform has people of its own; leave out {', '.join(sorted(given))}")
        return self


class SessionChange(SessionFields):
    """Only the fields that are sent change."""

    session_notes: Annotated[Words, Field(max_length=10_000)] | None = None


class NewPage(Body):
    """A page to add after the last."""

    page_title: Annotated[Words, Field(max_length=200)] | None = None
    background_color: Colour = "#FFFFFF"
    background_image: Annotated[Words, Field(max_length=500)] | None = None


class PageDocument(Document):
    """A page of a board."""

    id: int
    session_id: int
    page_number: int
    page_title: str | None
    background_color: str
    background_image: str | None
    is_active: bool
    created_at: datetime
    updated_at: datetime


class SessionDocument(Document):
    """A whiteboard session."""

    id: int
    booking_id: int | None
    schedule_id: int | None
    session_title: str | None
    session_description: str | None
    scheduled_start: datetime | None
    scheduled_end: datetime | None
    actual_start: datetime | None
    actual_end: datetime | None
    status: str
    is_recording: bool
    recording_started_at: datetime | None
    has_recordings: bool
    session_notes: str | None
    student_permissions: dict[str, Any]
    host_profile_id: int | None
    host_profile_type: str | None
    participant_profile_ids: list[int]
    participant_profile_types: list[str]
    created_at: datetime
    updated_at: datetime


class SessionWithPages(SessionDocument):
    """A whiteboard session and its pages in their order."""

    pages: list[PageDocument]

    @classmethod
    def of(cls, whiteboard: WhiteboardSession, pages: "list[WhiteboardPage]") -> Self:
        """The document of a session and its pages."""
        session = SessionDocument.model_validate(whiteboard).model_dump()
        return cls(**session, pages=[PageDocument.model_validate(page) for page in pages])


class EventDocument(Document):
    """Something that happened in a session."""

    id: int
    session_id: int
    kind: str
    profile_id: int | None
    profile_type: str | None
    page_id: int | None
    at: datetime

"""What the recordings' routes take and give: the columns of the tables, and what a player needs."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, model_validator

from worker.api.fields import LARGEST_INTEGER, AsText, Body, Document, Instant, Words

_MIME = re.compile(r"[\w.+-]+/[\w.+*-]+ *(;.*)?", re.DOTALL)
_BLANKS = " \t\r\n"


class UploadForm(Body):
    """The text fields of an upload; the bytes come beside them in the part `file`."""

    session_id: Annotated[int, Field(ge=1, le=LARGEST_INTEGER), AsText]
    # Default: the file's name without its extension.
    title: Annotated[Words, Field(min_length=1, max_length=255)] | None = None
    type: Literal["video", "screen", "board"] = "video"
    # When recording began, if the client knows.
    started_at: Instant | None = None

    @model_validator(mode="before")
    @classmethod
    def _as_forms_have_it(cls, value: Any) -> Any:
        """An empty input of a page is none; a `type` that is the file's MIME type says nothing of the lesson."""
        if not isinstance(value, dict):
            return value
        fields = {
            name: field.strip(_BLANKS) if name != "session_id" and isinstance(field, str) else field
            for name, field in value.items()
        }
        if isinstance(fields.get("type"), str):
            fields["type"] = "" if _MIME.fullmatch(fields["type"]) else fields["type"].lower()
        return {name: field for name, field in fields.items() if field != ""}


class UploadedForm(UploadForm):
    """The form with what is now known of its file: together they tell one upload from another."""

    sha1: str


class IgnoredField(Document):
    """A field that stood behind the file and was wrong: the recording was taken as if it had not been sent."""

    field: str
    reason: str


class Accepted(Document):
    """An upload that was taken. `job_id` is null when these bytes have long been a lesson."""

    recording_id: int
    job_id: UUID | None
    ignored: list[IgnoredField]


class RecordingDocument(Document):
    """A recording: processing, then available; neither means that it failed, and `error` says why."""

    id: int
    session_id: int
    recording_title: str | None
    recording_type: str
    file_url: str | None
    file_size_bytes: int | None
    duration_seconds: int | None
    thumbnail_url: str | None
    recording_metadata: dict[str, Any] | None
    recording_date: datetime
    is_processing: bool
    is_available: bool
    created_at: datetime
    job_id: UUID | None
    error: dict[str, Any] | None


class RecordingWithBoard(RecordingDocument):
    """A recording and the board as it stood when the recording was ingested."""

    board_snapshot: dict[str, Any] | None


class RenditionDocument(Document):
    """One form of the lesson that a player may choose; `url` is null until `state` is `ready`."""

    name: str
    url: str | None
    mime: str | None
    codecs: str | None
    width: int | None
    height: int | None
    bytes: int | None
    bit_rate: int | None
    state: Literal["pending", "ready", "failed"]


class PosterDocument(Document):
    """The still that is shown before playing."""

    url: str


class VttDocument(Document):
    """A WebVTT file."""

    vtt_url: str


class Playback(Document):
    """Signed addresses, good until `expires_at`."""

    renditions: list[RenditionDocument]
    poster: PosterDocument | None
    storyboard: VttDocument | None
    chapters: VttDocument | None
    expires_at: datetime

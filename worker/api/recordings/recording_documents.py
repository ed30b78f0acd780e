"""Request and response documents of the recordings' routes: columns of the tables, and what a player needs."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, model_validator

from worker.api.http.fields import LARGEST_INTEGER, AsText, Body, Document, Instant, Words

_MIME = re.compile(r"[\w.+-]+/[\w.+*-]+ *(;.*)?", re.DOTALL)
_BLANKS = " \t\r\n"


class UploadForm(Body):
    """The text fields of an upload; the bytes are in the part `file`."""

    session_id: Annotated[int, Field(ge=1, le=LARGEST_INTEGER), AsText]
    # Default: the file's name without its extension.
    title: Annotated[Words, Field(min_length=1, max_length=255)] | None = None
    type: Literal["video", "screen", "board"] = "video"
    # When the recording began, if the client knows.
    started_at: Instant | None = None

    @model_validator(mode="before")
    @classmethod
    def _as_forms_have_it(cls, value: Any) -> Any:
        """Ignore empty fields, and a `type` that is the file's MIME type instead of the kind of recording."""
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
    """The form and its file's digest: together they identify an upload."""

    sha1: str


class IgnoredField(Document):
    """An invalid field after the file: the recording was accepted as if the field had not been sent."""

    field: str
    reason: str


class Accepted(Document):
    """An accepted upload. `job_id` is null if these bytes were uploaded before and the caller cannot see that job."""

    recording_id: int
    job_id: UUID | None
    ignored: list[IgnoredField]


class RecordingDocument(Document):
    """A recording is processing, then available; if it is neither, it has failed, and `error` says why."""

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
    """A recording, and the board as it was when the recording was ingested."""

    board_snapshot: dict[str, Any] | None


class RenditionDocument(Document):
    """A version of the recording that a player may choose; `url` is null until `state` is `ready`."""

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
    """The picture that is shown before playback."""

    url: str


class PosterSizeDocument(Document):
    """The poster in one size and form."""

    url: str
    mime: str
    width: int
    height: int
    bytes: int


class VttDocument(Document):
    """A WebVTT file."""

    vtt_url: str


class CaptionsVtt(VttDocument):
    """Captions of a language as a WebVTT file."""

    language: str


class Playback(Document):
    """Signed addresses, valid until `expires_at`."""

    recording_title: str | None = None
    duration_ms: int | None = None
    renditions: list[RenditionDocument]
    poster: PosterDocument | None
    storyboard: VttDocument | None
    chapters: VttDocument | None
    captions: list[CaptionsVtt]
    posters: list[PosterSizeDocument]
    preview_url: str | None
    activity_url: str | None
    expires_at: datetime

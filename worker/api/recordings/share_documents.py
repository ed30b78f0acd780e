"""Request and response documents of shared recordings."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, model_validator

from worker.api.http.fields import AsJson, Body, Document, Instant
from worker.api.recordings.recording_documents import Playback

_LONGEST = 86_400


class ShareBody(Body):
    """How long the address opens, and which part of the recording is played. All fields are optional."""

    # Default: in SHARE_DAYS days.
    expires_at: Instant | None = None
    from_seconds: Annotated[int, Field(strict=True, ge=0, le=_LONGEST), AsJson] | None = Field(None, alias="from")
    to_seconds: Annotated[int, Field(strict=True, ge=1, le=_LONGEST), AsJson] | None = Field(None, alias="to")

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.to_seconds is not None and self.to_seconds <= (self.from_seconds or 0):
            raise ValueError("`to` must be after `from`")
        return self


class ShareDocument(Document):
    """An address of a recording, without its secret."""

    id: int
    created_at: datetime
    expires_at: datetime
    from_seconds: int | None = Field(serialization_alias="from")
    to_seconds: int | None = Field(serialization_alias="to")
    opened: int
    opened_at: datetime | None


class NewShareDocument(ShareDocument):
    """An address that was just made; `url` is returned only once."""

    url: str


class SharedPlayback(Playback):
    """What a player needs for a shared recording, and the part that it plays."""

    recording_title: str | None
    recording_type: str
    duration_ms: int | None
    from_seconds: int | None = Field(serialization_alias="from")
    to_seconds: int | None = Field(serialization_alias="to")

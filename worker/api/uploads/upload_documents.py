"""Documents of uploads that are sent in pieces."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path
from pydantic import AfterValidator, BeforeValidator, Field

from worker.api.http.fields import DeviceInstant, Document, Words
from worker.api.recordings.recording_documents import UploadForm

# A century: the clock of a device with an empty battery begins in 1970.
_MAX_OFFSET = 100 * 366 * 86_400_000
_SIGNED = re.compile(r"-?(0|[1-9]\d{0,18})", re.ASCII)
# Media types that no recorder writes. Of all others the bytes decide what the file is.
_OTHER_FILES = re.compile(r"(image|text|font|model|message)/|application/(pdf|zip|json|xml|javascript|x-msdownload)\b")


def _signed(value: object) -> object:
    if isinstance(value, str) and not _SIGNED.fullmatch(value):
        raise ValueError("must be a whole number of milliseconds, like -1200")
    return value


def _recording(media_type: str) -> str:
    if _OTHER_FILES.match(media_type.lower()):
        raise ValueError("must be the type of a video or of sound")
    return media_type


UploadId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="The last part of the upload's `Location`.")]


class UploadMetadata(UploadForm):
    """The metadata of an upload: the fields of the upload form, and those that only a recorder knows."""

    filename: Annotated[Words, Field(max_length=255)] | None = None
    filetype: Annotated[Words, Field(max_length=255), AfterValidator(_recording)] | None = None
    started_at: DeviceInstant | None = None
    # Server time minus the time of the device.
    clock_offset_ms: Annotated[int, Field(ge=-_MAX_OFFSET, le=_MAX_OFFSET), BeforeValidator(_signed)] | None = None


class UploadDocument(Document):
    """An upload: open, finished, recovered (abandoned; what arrived became the recording) or terminated."""

    id: str
    session_id: int
    recording_id: int | None
    job_id: UUID | None
    state: Literal["open", "finished", "recovered", "terminated"]
    offset: int
    length: int | None
    type: str
    title: str | None
    filename: str | None
    started_at: datetime | None
    marks: list[dict[str, Any]]
    gaps: list[dict[str, Any]]
    created_at: datetime


class UploadList(Document):
    """Uploads, newest first."""

    items: list[UploadDocument]

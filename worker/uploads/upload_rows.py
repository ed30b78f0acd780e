"""The rows of resumable uploads: created within limits, found by their creator, ended once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.uploads import Upload
from worker.errors import NotFound
from worker.limits.lease_rows import Bound
from worker.uploads.upload_room import require_room

# An upload of unknown length reserves this many bytes, and as many again when they are used up: an hour of video.
RESERVED_AT_ONCE = 1_000_000_000
# Marks of one upload: more than any recorder reports.
_MAX_MARKS = 1000


@dataclass(frozen=True)
class NewUpload:
    """An upload as its creator describes it."""

    id: str
    principal: str
    recorded_by: int | None
    session_id: int
    spool_id: str
    base_url: str | None
    recording_type: str
    length: int | None
    title: str | None = None
    filename: str | None = None
    media_type: str | None = None
    started_at: datetime | None = None
    clock_offset_ms: int | None = None


def upload_address(upload: Upload) -> str:
    """Where it is continued: at an API with its spool, or at any API if no such address was set."""
    return f"{upload.base_url or ''}/v1/uploads/{upload.id}"


def create_upload(session: Session, new: NewUpload, bound: Bound) -> Upload:
    """Insert the row of an upload. Raises TooManyRequests when its creator has as many open as they may."""
    reserved = new.length or RESERVED_AT_ONCE
    require_room(session, new.principal, bound, reserved)
    upload = Upload(**vars(new), reserved=reserved)
    session.add(upload)
    session.flush()
    session.refresh(upload)
    return upload


def base_urls_of_open(session: Session) -> set[str]:
    """The base URLs at which uploads can still be continued."""
    continued = Upload.state.in_(("open", "recovered"))
    return {url for url in session.scalars(select(Upload.base_url).where(continued).distinct()) if url is not None}


def find_upload(session: Session, upload_id: str, principal: str, *, lock: bool = False) -> Upload:
    """The upload; only for its creator. Raises NotFound for everybody else."""
    query = select(Upload).where(Upload.id == upload_id, Upload.principal == principal)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    upload = session.scalar(query)
    if upload is None:
        raise NotFound("There is no such upload.")
    return upload


def list_uploads(session: Session, principal: str, session_id: int, *, most: int) -> Sequence[Upload]:
    """The newest uploads of this person in this session."""
    query = select(Upload).where(Upload.principal == principal, Upload.session_id == session_id)
    return session.scalars(query.order_by(Upload.created_at.desc(), Upload.id).limit(most)).all()


def recording_of(session: Session, upload_id: str) -> int | None:
    """The recording that has bytes of this upload, or None."""
    return session.scalar(select(Upload.recording_id).where(Upload.id == upload_id))


def lock_upload(session: Session, upload_id: str) -> Upload | None:
    """Lock the row until the transaction ends."""
    query = select(Upload).where(Upload.id == upload_id).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def go_on(upload: Upload, length: int | None, marks: Sequence[dict[str, Any]]) -> None:
    """Reopen a recovered upload, set a deferred length, and add marks. The row must be locked."""
    if upload.state == "recovered":
        upload.state = "open"
    if length is not None:
        upload.length = upload.reserved = length
    known = upload.marks or []
    added = [mark for mark in marks if mark not in known]
    if added:
        upload.marks = sorted([*known, *added], key=lambda mark: mark["from_ms"])[:_MAX_MARKS]
    upload.updated_at = func.now()


def reserve_more(session: Session, upload: Upload, size: int, bound: Bound) -> None:
    """Reserve more for an upload of unknown length that has `size` bytes. Raises TooManyRequests."""
    while upload.reserved < size:
        upload.reserved += RESERVED_AT_ONCE
    require_room(session, upload.principal, Bound(bound.name, 0, bound.most_bytes), upload.reserved, beside=upload.id)


def terminate(session: Session, upload_id: str) -> None:
    """Mark the upload as terminated, because its bytes are gone."""
    session.execute(update(Upload).where(Upload.id == upload_id).values(state="terminated", updated_at=func.now()))


def terminate_uploads_of(session: Session, recording_id: int) -> None:
    """End the uploads that could still be continued and would bring a deleted recording back."""
    session.execute(
        update(Upload)
        .where(Upload.recording_id == recording_id, Upload.state.in_(("open", "recovered")))
        .values(state="terminated", updated_at=func.now())
    )

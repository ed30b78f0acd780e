"""The rows of uploads that are sent in pieces: created within limits, found by their creator, ended once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, func, select, text, update
from sqlalchemy.orm import Session

from models.uploads import Upload
from worker.database import Executor
from worker.errors import NotFound, TooManyRequests
from worker.limits.lease_rows import Bound

_RETRY_AFTER = 30
# An upload of unknown length reserves this many bytes, and as many again when they are used up: an hour of video.
RESERVED_AT_ONCE = 1_000_000_000
# Marks of one upload: more than any recorder reports.
_MOST_MARKS = 1000

# Two concurrent creations by one person would both see room for one more upload.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('open uploads ' || :principal, 0))")
_PRUNE = text(
    """
    DELETE FROM uploads WHERE id IN (
        SELECT id FROM uploads WHERE state <> 'open' AND updated_at < now() - make_interval(secs => :age)
         ORDER BY updated_at LIMIT :most FOR UPDATE SKIP LOCKED)
    """
)


# Executed for each piece; textual SQL, since an ORM statement would cost as much as the rest of the piece.
_LIMITS = text("SELECT state, length, reserved FROM uploads WHERE id = :id AND principal = :principal")
# For a statement that reads more than these; NULL without such an upload.
LIMIT_COLUMNS = "upload.state, upload.length, upload.reserved"
LIMIT_JOIN = "LEFT JOIN uploads upload ON upload.id = :upload_id AND upload.principal = :principal"


@dataclass(frozen=True)
class UploadLimits:
    """The columns that decide whether an upload accepts another piece."""

    state: str
    length: int | None
    reserved: int


@dataclass(frozen=True)
class NewUpload:
    """An upload as its creator describes it."""

    id: str
    principal: str
    recorded_by: int | None
    session_id: int
    spool_id: str
    recording_type: str
    length: int | None
    title: str | None = None
    filename: str | None = None
    media_type: str | None = None
    started_at: datetime | None = None
    clock_offset_ms: int | None = None


def create_upload(session: Session, new: NewUpload, bound: Bound) -> Upload:
    """Insert the row of an upload. Raises TooManyRequests when its creator has as many open as they may."""
    reserved = new.length or RESERVED_AT_ONCE
    _require_room(session, new.principal, bound, reserved)
    upload = Upload(**vars(new), reserved=reserved)
    session.add(upload)
    session.flush()
    session.refresh(upload)
    return upload


def find_upload(session: Session, upload_id: str, principal: str, *, lock: bool = False) -> Upload:
    """The upload; only for its creator. Raises NotFound for everybody else."""
    query = select(Upload).where(Upload.id == upload_id, Upload.principal == principal)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    upload = session.scalar(query)
    if upload is None:
        raise NotFound("There is no such upload.")
    return upload


def read_limits(executor: Executor, upload_id: str, principal: str) -> UploadLimits:
    """The limits of an upload; only for its creator. Raises NotFound for everybody else."""
    row = executor.execute(_LIMITS, {"id": upload_id, "principal": principal}).fetchone()
    if row is None:
        raise NotFound("There is no such upload.")
    return UploadLimits(row.state, row.length, row.reserved)


def list_uploads(session: Session, principal: str, session_id: int, *, most: int) -> Sequence[Upload]:
    """The newest uploads of this person in this session."""
    query = select(Upload).where(Upload.principal == principal, Upload.session_id == session_id)
    return session.scalars(query.order_by(Upload.created_at.desc(), Upload.id).limit(most)).all()


def recording_of(session: Session, upload_id: str) -> int | None:
    """The recording that has bytes of this upload; None when there is none."""
    return session.scalar(select(Upload.recording_id).where(Upload.id == upload_id))


def lock_upload(session: Session, upload_id: str) -> Upload | None:
    """Lock the row until the transaction ends."""
    query = select(Upload).where(Upload.id == upload_id).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def open_uploads(session: Session, spool_id: str, *, age: float) -> Sequence[tuple[str, datetime]]:
    """The open uploads of this spool that were created more than `age` seconds ago: (id, last change of the row)."""
    old = Upload.created_at < func.now() - timedelta(seconds=age)
    query = select(Upload.id, Upload.updated_at).where(Upload.spool_id == spool_id, Upload.state == "open", old)
    return [(row.id, row.updated_at) for row in session.execute(query)]


def kept_uploads(session: Session, ids: Sequence[str]) -> set[str]:
    """Those of `ids` whose file may still be continued."""
    query = select(Upload.id).where(Upload.id.in_(ids), Upload.state.in_(("open", "recovered")))
    return set(session.scalars(query))


def recovered_uploads(session: Session, ids: Sequence[str]) -> set[str]:
    """Those of `ids` all of whose bytes are in a recording, while they may still be continued."""
    return set(session.scalars(select(Upload.id).where(Upload.id.in_(ids), Upload.state == "recovered")))


def prune_uploads(session: Session, *, age: float, most: int) -> int:
    """Delete at most `most` uploads that ended more than `age` seconds ago; returns how many."""
    return cast("CursorResult[Any]", session.execute(_PRUNE, {"age": age, "most": most})).rowcount


def open_uploads_with_length(session: Session, spool_id: str) -> Sequence[tuple[str, int]]:
    """The open uploads of this spool whose length is known: (id, length)."""
    query = select(Upload.id, Upload.length).where(
        Upload.spool_id == spool_id, Upload.state == "open", Upload.length.is_not(None)
    )
    return [(row.id, row.length) for row in session.execute(query)]


def go_on(upload: Upload, length: int | None, marks: Sequence[dict[str, Any]]) -> None:
    """Reopen a recovered upload, set a length that was deferred, and add marks. The row must be locked."""
    if upload.state == "recovered":
        upload.state = "open"
    if length is not None:
        upload.length = upload.reserved = length
    known = upload.marks or []
    added = [mark for mark in marks if mark not in known]
    if added:
        upload.marks = sorted([*known, *added], key=lambda mark: mark["from_ms"])[:_MOST_MARKS]
    upload.updated_at = func.now()


def reserve_more(session: Session, upload: Upload, size: int, bound: Bound) -> None:
    """Reserve more for an upload of unknown length that has `size` bytes. Raises TooManyRequests."""
    while upload.reserved < size:
        upload.reserved += RESERVED_AT_ONCE
    _require_room(session, upload.principal, Bound(bound.name, 0, bound.most_bytes), upload.reserved, beside=upload.id)


def terminate(session: Session, upload_id: str) -> None:
    """Its bytes are gone."""
    session.execute(update(Upload).where(Upload.id == upload_id).values(state="terminated", updated_at=func.now()))


def terminate_uploads_of(session: Session, recording_id: int) -> None:
    """End the uploads that could still be continued and would bring a deleted recording back."""
    session.execute(
        update(Upload)
        .where(Upload.recording_id == recording_id, Upload.state.in_(("open", "recovered")))
        .values(state="terminated", updated_at=func.now())
    )


def _require_room(session: Session, principal: str, bound: Bound, size: int, *, beside: str = "") -> None:
    if not bound.most and not bound.most_bytes:
        return
    session.execute(_LOCK, {"principal": principal})
    row = session.execute(
        select(func.count().label("number"), func.coalesce(func.sum(Upload.reserved), 0).label("size")).where(
            Upload.principal == principal, Upload.state == "open", Upload.id != beside
        )
    ).one()
    if not bound.fits(row.number, int(row.size), size):
        raise TooManyRequests(
            f"You have {row.number} uploads open, of {row.size} bytes in all; {bound.most} of {bound.most_bytes} bytes "
            "are allowed. Finish or delete one.",
            limit="open-uploads",
            retry_after=_RETRY_AFTER,
        )

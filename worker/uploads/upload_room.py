"""Limit how many uploads a person may have open, and their bytes."""

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from models.uploads import Upload
from worker.errors import TooManyRequests
from worker.limits.lease_rows import Bound

_RETRY_AFTER = 30
# Two concurrent creations by one person would both find room for one more upload.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('open uploads ' || :principal, 0))")


def require_room(session: Session, principal: str, bound: Bound, size: int, *, beside: str = "") -> None:
    """Raise TooManyRequests unless the creator may have `size` bytes more; the upload `beside` does not count."""
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

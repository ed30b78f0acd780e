"""Metrics: the number of uploads in each state."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.uploads import Upload
from worker.uploads.upload_errors import UploadGone
from worker.uploads.upload_file import UploadFile
from worker.uploads.upload_upkeep import open_uploads


@dataclass(frozen=True)
class UploadMetrics:
    """Uploads by state, the bytes reserved by open ones, and for how long one of this spool has been overdue.

    Overdue: abandoned, but not ended.
    """

    counts: dict[str, int]
    reserved: int
    overdue: float


def upload_metrics(session: Session, spool: Path, spool_id: str, *, abandoned_after: float) -> UploadMetrics:
    """The current metrics; those of files are of the spool in the folder `spool`."""
    rows = session.execute(
        select(Upload.state, func.count().label("number"), func.sum(Upload.reserved).label("reserved")).group_by(
            Upload.state
        )
    ).all()
    return UploadMetrics(
        {row.state: row.number for row in rows},
        sum(int(row.reserved) for row in rows if row.state == "open"),
        max(0.0, _longest_idle(session, spool, spool_id, age=abandoned_after) - abandoned_after),
    )


def _longest_idle(session: Session, spool: Path, spool_id: str, *, age: float) -> float:
    """Seconds for which nothing was added to an open upload of this age; 0 if there is none.

    An upload whose file is missing, or cannot be reached, has been idle since its row changed.
    """
    now = session.execute(select(func.now())).scalar_one()
    longest = 0.0
    for upload_id, updated_at in open_uploads(session, spool_id, age=age):
        try:
            idle = UploadFile(spool, upload_id).idle_seconds()
        except (UploadGone, OSError):
            idle = (now - updated_at).total_seconds()
        longest = max(longest, idle)
    return longest

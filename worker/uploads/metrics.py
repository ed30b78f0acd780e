"""How many uploads are in which state, for the metrics."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.uploads import Upload


@dataclass(frozen=True)
class UploadMetrics:
    """Uploads by state, and the bytes that open ones reserve."""

    counts: dict[str, int]
    reserved: int


def upload_metrics(session: Session) -> UploadMetrics:
    """The current figures."""
    rows = session.execute(
        select(Upload.state, func.count().label("number"), func.sum(Upload.reserved).label("reserved")).group_by(
            Upload.state
        )
    ).all()
    return UploadMetrics(
        {row.state: row.number for row in rows}, sum(int(row.reserved) for row in rows if row.state == "open")
    )

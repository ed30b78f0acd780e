"""Response documents of the board snapshots' routes."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from worker.api.http.fields import Document


class Ordered(Document):
    """The job that does the work in the background, also named in `Location`."""

    job_id: UUID


class SnapshotDocument(Document):
    """A file of a page or (`pdf`) of the whole board. `url` is signed; `is_current`: it shows what is stored now."""

    page_id: int | None
    page_number: int | None
    name: Literal["png", "png_2x", "thumbnail", "svg", "pdf"]
    url: str
    mime: str
    width: int | None
    height: int | None
    bytes: int
    # Strokes that the file lacks, or shows differently from how they are stored.
    skipped: int
    taken_at: datetime
    is_current: bool


class Snapshots(Document):
    """The latest file of each kind, by page, the document last; addresses are valid until `expires_at`."""

    items: list[SnapshotDocument]
    expires_at: datetime
    next: None = None

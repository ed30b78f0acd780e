"""What the routes of board snapshots give."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from worker.api.fields import Document


class Ordered(Document):
    """Work in the background; `Location` is the job too."""

    job_id: UUID


class SnapshotDocument(Document):
    """One file: of a page, or (`pdf`) of the whole board. `url` is signed; `is_current`: nothing was drawn since."""

    page_id: int | None
    page_number: int | None
    name: Literal["png", "png_2x", "thumbnail", "svg", "pdf"]
    url: str
    mime: str
    width: int | None
    height: int | None
    bytes: int
    # Strokes that are not in it, or not as they are stored.
    skipped: int
    taken_at: datetime
    is_current: bool


class Snapshots(Document):
    """The latest file of each kind, page by page and the document last; addresses are good until `expires_at`."""

    items: list[SnapshotDocument]
    expires_at: datetime
    next: None = None

"""Loads a page from the database for drawing, with the digest and time of exactly this content."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.canvases.board import DrawnPage, SkippedStroke
from worker.canvases.snapshots.digest import PAGE_DIGEST, PageState
from worker.canvases.snapshots.strokes import stream_strokes
from worker.canvases.stored.pages import read_page

_PAGE = text(
    f"""
    SELECT session_id, page_number, page_title, background_color, background_image, now() AS read_at,
           {PAGE_DIGEST} AS digest
      FROM board_pages page WHERE id = :page_id
    """  # noqa: S608 - an expression of our own
)


@dataclass(frozen=True)
class StoredPage:
    """A page as it is stored; its `background_image` is not loaded yet."""

    session_id: int
    state: PageState
    read_at: datetime
    page: DrawnPage
    background_image: str | None


def load_page(session: Session, page_id: int) -> StoredPage | None:
    """The page with its strokes; None when there is no such page. Must be the first query of its transaction.

    Everything is read from one database snapshot: a digest of strokes other than those drawn would keep a wrong image
    forever.
    """
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    row = session.execute(_PAGE, {"page_id": page_id}).one_or_none()
    if row is None:
        return None
    skipped: list[SkippedStroke] = []
    document = {
        "page_id": page_id,
        "page_number": row.page_number,
        "page_title": row.page_title,
        "background_color": row.background_color,
        "strokes": stream_strokes(session, page_id, skipped),
    }
    page = read_page(document)
    page = replace(page, skipped=(*skipped, *page.skipped))
    state = PageState(page_id, row.page_number, row.page_title, row.digest)
    return StoredPage(row.session_id, state, row.read_at, page, row.background_image)

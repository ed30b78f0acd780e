"""A board's pages beside a recording that does not show them itself: their pictures, and when each was shown."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from models.recordings import Recording
from models.snapshots import Snapshot
from worker.canvases.snapshots.rows import snapshots_of
from worker.workflows.boards.board_moments import shown_pages_of


@dataclass(frozen=True)
class PagePictures:
    """The two pictures of a page: full size and thumbnail."""

    page_number: int
    picture: Snapshot
    thumbnail: Snapshot


@dataclass(frozen=True)
class PageTurn:
    """This page was shown from `start_ms` of the recording."""

    start_ms: int
    page_number: int


@dataclass(frozen=True)
class PagesBeside:
    """The pages in order, and the turns to them ordered by time."""

    pages: Sequence[PagePictures] = ()
    turns: Sequence[PageTurn] = ()


def pages_beside(session: Session, recording: Recording) -> PagesBeside:
    """The pages that were shown while the recording was made and have been drawn since."""
    shown = shown_pages_of(session, recording)
    if not shown:
        return PagesBeside()
    files = {(row.page_id, row.name): row for row in snapshots_of(session, recording.session_id)}
    pages = {
        page.page_number: PagePictures(page.page_number, picture, thumbnail)
        for page in shown
        if (picture := files.get((page.page_id, "png"))) and (thumbnail := files.get((page.page_id, "thumbnail")))
    }
    return PagesBeside(
        [pages[number] for number in sorted(pages)],
        [PageTurn(page.start_ms, page.page_number) for page in shown if page.page_number in pages],
    )

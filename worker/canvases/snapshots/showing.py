"""The snapshots of a page or a board, and whether they are up to date."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from models.snapshots import Snapshot
from models.whiteboards import WhiteboardPage, WhiteboardSession
from worker.canvases.snapshots.digest import board_digest, board_title, page_digest, page_states
from worker.canvases.snapshots.rows import snapshots_of


@dataclass(frozen=True)
class SnapshotStatus:
    """A snapshot, the number of its page, and whether it shows the current content."""

    snapshot: Snapshot
    page_number: int | None
    is_current: bool


def show_page(session: Session, page: WhiteboardPage) -> list[SnapshotStatus]:
    """The snapshots of one page."""
    digest = page_digest(session, page.id)
    return [
        SnapshotStatus(snapshot, page.page_number, snapshot.content_digest == digest)
        for snapshot in snapshots_of(session, page.session_id, page.id)
    ]


def show_board(session: Session, board: WhiteboardSession) -> list[SnapshotStatus]:
    """The snapshots of every page in their order, and the document last."""
    states = page_states(session, board.id)
    now: dict[int | None, tuple[int | None, str]] = {state.page_id: (state.number, state.digest) for state in states}
    now[None] = None, board_digest(board_title(board.session_title, board.id), states)
    shown = []
    for snapshot in snapshots_of(session, board.id):
        # A page that was added between the two queries is missing from `states`.
        number, digest = now.get(snapshot.page_id, (None, ""))
        shown.append(SnapshotStatus(snapshot, number, snapshot.content_digest == digest))
    return shown

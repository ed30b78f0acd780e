"""Pages of boards, of both sides of a call."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy.orm import Session

from worker.platform.catalog import Column
from worker.platform.connection import Row
from worker.platform.links import Link, linked_platform_ids, our_ids
from worker.platform.source import Join, Source
from worker.whiteboards.platform_pages import PageKey, PlatformPage, store_pages
from worker.workflows.platform_import.boards.sessions import BOARD, without_board
from worker.workflows.platform_import.kind import ImportOutcome, IncomingRow, Kind, Pull

PAGE = "board_page"
_PAGES = "whiteboard_pages"
_SESSIONS = "whiteboard_sessions"


class Pages(Kind):
    """Pages of boards. Title and colour are those of the leading side."""

    name = PAGE
    # Version 2 corrects the times of stored rows.
    version = 2
    source = Source(
        _PAGES,
        {
            "id": Column(_PAGES, "id", "integer", required=True),
            "session_id": Column(_PAGES, "session_id", "integer", required=True),
            "page_number": Column(_PAGES, "page_number", "integer", required=True),
            "title": Column(_PAGES, "page_title", "varchar"),
            "colour": Column(_PAGES, "background_color", "varchar"),
            "is_active": Column(_PAGES, "is_active", "boolean"),
            "created_at": Column(_PAGES, "created_at", "timestamp"),
            "host_profile_type": Column(_SESSIONS, "host_profile_type", "varchar"),
        },
        changed=(Column(_PAGES, "created_at", "timestamp"), Column(_PAGES, "updated_at", "timestamp")),
        joins=(Join(_SESSIONS, "whiteboard_sessions.id = whiteboard_pages.session_id"),),
    )

    def store(self, session: Session, rows: Sequence[IncomingRow], pull: Pull) -> Sequence[ImportOutcome]:
        boards = our_ids(session, BOARD, {incoming.row.session_id for incoming in rows})
        stored = linked_platform_ids(session, PAGE, [incoming.id for incoming in rows if incoming.id is not None])
        alone = {ids[0] for ids in stored.values() if len(ids) == 1}
        pages = [_page(incoming.row, boards, alone, pull) for incoming in rows if incoming.row.session_id in boards]
        ids = store_pages(session, pages)
        outcomes = []
        for incoming in rows:
            row = incoming.row
            board_id = boards.get(row.session_id)
            if board_id is None:
                outcomes.append(ImportOutcome(row.id, None, (without_board(row.session_id),)))
            else:
                outcomes.append(ImportOutcome(row.id, ids[PageKey(board_id, row.page_number)]))
        return outcomes

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:
        """Nothing to remove: the page stays, as its board does."""


def _page(row: Row, boards: Mapping[int, int], alone: Collection[int], pull: Pull) -> PlatformPage:
    leads = row.host_profile_type == "tutor"
    return PlatformPage(
        PageKey(boards[row.session_id], row.page_number),
        title=row.title,
        colour=row.colour,
        leads=leads,
        dates=leads or row.id in alone,
        is_shown=row.is_active is True,
        created_at=pull.written_at(row.created_at),
    )

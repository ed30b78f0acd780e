"""Whiteboard sessions; both sides of a call become one board."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from worker.platform.calls import CALL_COLUMNS
from worker.platform.catalog import Column
from worker.platform.connection import Row
from worker.platform.links import Link, our_ids, write_links
from worker.platform.refusals import Refusal
from worker.platform.source import Source
from worker.whiteboards.platform_boards import PlatformBoard, store_boards
from worker.workflows.platform_import.boards.board_calls import BoardCall, calls_of
from worker.workflows.platform_import.boards.convert_board import board_outcome, convert_board, stored_members
from worker.workflows.platform_import.kind import ImportOutcome, IncomingRow, Kind, Pull

BOARD = "board"
# The digest of a session that was linked with the other side but not read itself: the next pull stores it.
_UNREAD = b""
_SESSIONS = "whiteboard_sessions"


class Boards(Kind):
    """Whiteboard sessions. One that never ends there is closed here, like any other that was left running."""

    name = BOARD
    # Version 2 records who opened it, version 3 corrects the times of stored rows.
    version = 3
    source = Source(
        _SESSIONS,
        {
            **CALL_COLUMNS,
            "title": Column(_SESSIONS, "session_title", "varchar"),
            "description": Column(_SESSIONS, "session_description", "text"),
            "status": Column(_SESSIONS, "status", "varchar"),
            "permissions": Column(_SESSIONS, "student_permissions", "jsonb"),
            "scheduled_start": Column(_SESSIONS, "scheduled_start", "timestamp"),
            "scheduled_end": Column(_SESSIONS, "scheduled_end", "timestamp"),
            "actual_start": Column(_SESSIONS, "actual_start", "timestamp"),
            "actual_end": Column(_SESSIONS, "actual_end", "timestamp"),
        },
        changed=(Column(_SESSIONS, "created_at", "timestamp"), Column(_SESSIONS, "updated_at", "timestamp")),
    )

    def store(self, session: Session, rows: Sequence[IncomingRow], pull: Pull) -> Sequence[ImportOutcome]:
        calls = calls_of(rows, pull)
        links = our_ids(session, self.name, [each.id for call in calls for each in call.sessions])
        there = stored_members(session, {side for call in calls for each in call.sessions for side in each.people})
        full = self._rows(rows, calls, pull)
        wanted: list[tuple[BoardCall, PlatformBoard]] = []
        for call in calls:
            lead = call.leader
            if lead is not None and lead in there:
                board_id = next((links[each.id] for each in call.sessions if each.id in links), None)
                wanted.append((call, convert_board(call, lead, there, full, board_id, pull)))
        ids = store_boards(session, [board for _, board in wanted])
        by_session = {
            each.id: links.get(each.id, board_id)
            for (call, _), board_id in zip(wanted, ids, strict=True)
            for each in call.sessions
        }
        asked = {incoming.row.id for incoming in rows}
        # In this transaction, so that the next import of the other side finds the board.
        beside = [
            Link(each, board_id, _UNREAD) for each, board_id in by_session.items() if each not in asked | links.keys()
        ]
        write_links(session, self.name, beside)
        return [board_outcome(incoming.row, by_session.get(incoming.row.id), there) for incoming in rows]

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:
        """Nothing to remove: what was drawn in a lesson outlives the platform's row."""

    def _rows(self, rows: Sequence[IncomingRow], calls: Sequence["BoardCall"], pull: Pull) -> dict[int, Row]:
        """The rows of all sessions of these calls, by id."""
        full = {incoming.row.id: incoming.row for incoming in rows}
        others = sorted({each.id for call in calls for each in call.sessions} - full.keys())
        return full | ({row.id: row for row in pull.reader(self.source).rows_of(others)} if others else {})


def without_board(session_id: int) -> Refusal:
    """The refusal for a row whose session was refused or does not exist."""
    reason = f"whiteboard session {session_id} was not taken"
    return Refusal("no-board", reason, "See what the report says of the session.", details={"board": session_id})

"""Whiteboard sessions and their pages. Both sides of a call are one board, and their pages of one number one page."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.people import PROFILE_TABLES
from worker.platform.calls import CALL_COLUMNS, CallMember, CallSession, call_session, join_twins, leader, sessions_near
from worker.platform.catalog import Column
from worker.platform.connection import Row
from worker.platform.links import Link, our_ids, write_links
from worker.platform.refusals import Refusal
from worker.platform.source import Join, Source
from worker.whiteboards.platform_boards import PlatformBoard, store_boards
from worker.whiteboards.platform_pages import PageKey, PlatformPage, store_pages
from worker.whiteboards.sessions import Participant
from worker.workflows.platform_import.kind import ImportOutcome, Incoming, Kind, Pull
from worker.workflows.platform_import.words import board_status

BOARD, PAGE = "board", "board_page"
# A row that was linked beside another and has not been read itself: the next pull stores it.
_UNREAD = b""
_PERMISSIONS = ("can_draw", "can_erase", "can_write")
_SESSIONS, _PAGES = "whiteboard_sessions", "whiteboard_pages"


class Boards(Kind):
    """Sessions. One that is still running there for ever is closed here as any other that was left running."""

    name = BOARD
    # 2: who opened it.
    version = 2
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

    def store(self, session: Session, rows: Sequence[Incoming], pull: Pull) -> Sequence[ImportOutcome]:
        calls = _calls(rows, pull)
        links = our_ids(session, self.name, [each.id for call in calls for each in call.sessions])
        there = stored_profiles(session, {side for call in calls for each in call.sessions for side in each.people})
        full = self._rows(rows, calls, pull)
        wanted: list[tuple[_Call, PlatformBoard]] = []
        for call in calls:
            lead = call.leader
            if lead is not None and lead in there:
                board_id = next((links[each.id] for each in call.sessions if each.id in links), None)
                wanted.append((call, _board(call, lead, there, full, board_id, pull)))
        ids = store_boards(session, [board for _, board in wanted])
        by_session = {
            each.id: links.get(each.id, board_id)
            for (call, _), board_id in zip(wanted, ids, strict=True)
            for each in call.sessions
        }
        asked = {incoming.row.id for incoming in rows}
        # In this transaction: who stores the other side next must find the board.
        beside = [
            Link(each, board_id, _UNREAD) for each, board_id in by_session.items() if each not in asked | links.keys()
        ]
        write_links(session, self.name, beside)
        return [_outcome(incoming.row, by_session.get(incoming.row.id), there) for incoming in rows]

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:
        """The board stays: what was drawn in a lesson outlives the platform's row."""

    def _rows(self, rows: Sequence[Incoming], calls: Sequence["_Call"], pull: Pull) -> dict[int, Row]:
        """The rows of all sessions of these calls, by id."""
        full = {incoming.row.id: incoming.row for incoming in rows}
        others = sorted({each.id for call in calls for each in call.sessions} - full.keys())
        return full | ({row.id: row for row in pull.reader(self.source).rows_of(others)} if others else {})


class Pages(Kind):
    """Pages of boards. Title and colour are those of the side that leads."""

    name = PAGE
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

    def store(self, session: Session, rows: Sequence[Incoming], pull: Pull) -> Sequence[ImportOutcome]:
        boards = our_ids(session, BOARD, {incoming.row.session_id for incoming in rows})
        pages = [_page(incoming.row, boards, pull) for incoming in rows if incoming.row.session_id in boards]
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
        """The page stays, as its board does."""


@dataclass(frozen=True)
class _Call:
    """The sessions of one call: one, or both sides."""

    sessions: tuple[CallSession, ...]

    @property
    def leader(self) -> CallMember | None:
        return leader(self.sessions)

    @property
    def leading(self) -> CallSession:
        """The session whose title and permissions count: that which the leader made, else the first."""
        return next((each for each in self.sessions if each.host == self.leader), self.sessions[0])


def without_board(session_id: int) -> Refusal:
    """Its session was refused, or is not there."""
    reason = f"whiteboard session {session_id} was not taken"
    return Refusal("no-board", reason, "See what the report says of the session.", details={"board": session_id})


def stored_profiles(session: Session, sides: Collection[CallMember]) -> frozenset[CallMember]:
    """Those of the profiles that are stored here, active or not."""
    stored: set[CallMember] = set()
    for profile_type, table in PROFILE_TABLES.items():
        ids = [side.profile_id for side in sides if side.profile_type == profile_type]
        if ids:
            found = session.scalars(select(table.id).where(table.id == func.any(ids)))
            stored |= {CallMember(profile_type, profile_id) for profile_id in found}
    return frozenset(stored)


def _calls(rows: Sequence[Incoming], pull: Pull) -> list[_Call]:
    """The calls of these sessions, each once, in the order of ids."""
    own = {incoming.row.id: call_session(incoming.row) for incoming in rows}
    known = {each.id: each for each in sessions_near(pull.connection, pull.catalog, own)} | own
    twins = join_twins(known.values())
    calls: dict[int, _Call] = {}
    for session_id in sorted(own):
        ids = sorted({session_id, twins.get(session_id, session_id)})
        calls.setdefault(ids[0], _Call(tuple(known[each] for each in ids)))
    return list(calls.values())


def _board(
    call: _Call,
    lead: CallMember,
    there: Collection[CallMember],
    full: Mapping[int, Row],
    board_id: int | None,
    pull: Pull,
) -> PlatformBoard:
    row = full[call.leading.id]
    others = dict.fromkeys(side for each in call.sessions for side in each.people if side != lead and side in there)
    dated = [each for each in call.sessions if full[each.id].created_at is not None]
    first = min(dated, key=lambda each: full[each.id].created_at, default=call.leading)
    created, opener = full[first.id].created_at, first.host
    return PlatformBoard(
        board_id,
        host=_participant(lead),
        opener=_participant(opener) if opener is not None and opener in there else None,
        participants=[_participant(side) for side in others],
        title=row.title,
        description=row.description,
        status=board_status(row.status) or "in_progress",
        permissions=_permissions(row.permissions),
        scheduled_start=pull.written_at(row.scheduled_start),
        scheduled_end=pull.written_at(row.scheduled_end),
        actual_start=pull.written_at(row.actual_start),
        actual_end=pull.written_at(row.actual_end),
        created_at=pull.written_at(created),
    )


def _participant(side: CallMember) -> Participant:
    return Participant(side.profile_id, side.profile_type)


def _permissions(stored: object) -> dict[str, bool]:
    given = stored if isinstance(stored, Mapping) else {}
    return {name: given.get(name) is True for name in _PERMISSIONS}


def _outcome(row: Row, board_id: int | None, there: Collection[CallMember]) -> ImportOutcome:
    people = call_session(row).people
    missing = [f"{side.profile_type} {side.profile_id}" for side in people if side not in there]
    if board_id is None:
        reason = f"nobody leads it: {', '.join(missing) or 'no host'} is no profile with a user"
        return ImportOutcome(
            row.id, None, (Refusal("nobodys", reason, "Give the profile an account on the platform."),)
        )
    return ImportOutcome(row.id, board_id, tuple(_remarks(row, missing)))


def _remarks(row: Row, missing: Sequence[str]) -> Iterable[Refusal]:
    if missing:
        reason = f"{', '.join(missing)} left out: no such profile with a user"
        yield Refusal("people-left-out", reason, "Give the profile an account on the platform.", is_refused=False)
    if board_status(row.status) is None:
        reason = f"status {row.status!r} is unknown and taken as in progress"
        yield Refusal("unknown-status", reason, "Set a status that the platform knows.", is_refused=False)


def _page(row: Row, boards: Mapping[int, int], pull: Pull) -> PlatformPage:
    return PlatformPage(
        PageKey(boards[row.session_id], row.page_number),
        title=row.title,
        colour=row.colour,
        leads=row.host_profile_type == "tutor",
        is_shown=row.is_active is True,
        created_at=pull.written_at(row.created_at),
    )

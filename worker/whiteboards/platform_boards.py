"""Boards that come from the platform: sessions and their pages. Nobody is notified."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.whiteboards.sessions import Participant

_IDS = text("SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :number) ORDER BY 1")
_CREATE = text(
    """
    INSERT INTO whiteboard_sessions (id, session_title, session_description, host_profile_id, host_profile_type,
                                     opener_profile_id, opener_profile_type,
                                     participant_profile_ids, participant_profile_types, status, student_permissions,
                                     scheduled_start, scheduled_end, actual_start, actual_end, created_at)
    SELECT id, left(title, 300), description, host_id, host_type, opener_id, opener_type,
           ARRAY(SELECT json_array_elements_text(participant_ids)::integer),
           ARRAY(SELECT json_array_elements_text(participant_types)), status, permissions,
           scheduled_start, scheduled_end,
           CASE WHEN status IN ('in_progress', 'completed') THEN coalesce(actual_start, created_at, now()) END,
           CASE WHEN status = 'completed' THEN coalesce(actual_end, actual_start, created_at, now()) END,
           coalesce(created_at, now())
      FROM json_to_recordset(CAST(:rows AS json)) AS row (
               id integer, title text, description text, host_id integer, host_type text, opener_id integer,
               opener_type text, participant_ids json,
               participant_types json, status text, permissions jsonb, scheduled_start timestamptz,
               scheduled_end timestamptz, actual_start timestamptz, actual_end timestamptz, created_at timestamptz)
    """
)
_HOLD = text("SELECT id FROM whiteboard_sessions WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")
# A board that has ended here stays so: the platform never ends one, and our own jobs or people may have.
_CHANGE = text(
    """
    UPDATE whiteboard_sessions board
       SET session_title = coalesce(left(row.title, 300), board.session_title),
           session_description = coalesce(row.description, board.session_description),
           participant_profile_ids = ARRAY(SELECT json_array_elements_text(participant_ids)::integer),
           participant_profile_types = ARRAY(SELECT json_array_elements_text(participant_types)),
           opener_profile_id = coalesce(board.opener_profile_id, row.opener_id),
           opener_profile_type = CASE WHEN board.opener_profile_id IS NULL THEN row.opener_type
                                      ELSE board.opener_profile_type END,
           status = CASE WHEN board.status IN ('scheduled', 'in_progress')
                          AND row.status IN ('in_progress', 'completed', 'cancelled') THEN row.status
                         ELSE board.status END,
           actual_start = CASE WHEN row.status IN ('in_progress', 'completed')
                               THEN least(board.actual_start, coalesce(row.actual_start, row.created_at))
                               ELSE board.actual_start END,
           actual_end = CASE WHEN row.status = 'completed'
                             THEN coalesce(board.actual_end, row.actual_end, row.created_at)
                             ELSE board.actual_end END,
           created_at = least(board.created_at, row.created_at), updated_at = now()
      FROM json_to_recordset(CAST(:rows AS json)) AS row (
               id integer, title text, description text, participant_ids json, participant_types json, status text,
               opener_id integer, opener_type text,
               actual_start timestamptz, actual_end timestamptz, created_at timestamptz)
     WHERE board.id = row.id
    """
)
_CREATE_PAGES = text(
    """
    INSERT INTO whiteboard_pages (session_id, page_number, page_title, background_color, is_active, created_at,
                                  updated_at)
    SELECT session_id, number, left(title, 200), left(coalesce(colour, '#FFFFFF'), 20), false,
           coalesce(created_at, now()), coalesce(created_at, now())
      FROM json_to_recordset(CAST(:rows AS json)) AS row (
               place integer, session_id integer, number integer, title text, colour text, created_at timestamptz)
     ORDER BY place
        ON CONFLICT (session_id, page_number) DO NOTHING
    """
)
# Pages of the leading side, where the other's came first.
_CHANGE_PAGES = text(
    """
    UPDATE whiteboard_pages page
       SET page_title = left(row.title, 200), background_color = left(coalesce(row.colour, '#FFFFFF'), 20),
           updated_at = now()
      FROM json_to_recordset(CAST(:rows AS json)) AS row (session_id integer, number integer, title text, colour text)
     WHERE page.session_id = row.session_id AND page.page_number = row.number
       AND (page.page_title, page.background_color)
           IS DISTINCT FROM (left(row.title, 200), left(coalesce(row.colour, '#FFFFFF'), 20))
    """
)
_FIND_PAGES = text("SELECT id, session_id, page_number FROM whiteboard_pages WHERE session_id = ANY(:ids)")
# The page shown last there, unless somebody has turned pages here; a board without an active page shows its first.
_SHOW_PAGES = text(
    """
    WITH wanted AS (
        SELECT DISTINCT ON (page.session_id) page.session_id, page.id
          FROM whiteboard_pages page
          LEFT JOIN unnest(CAST(:shown_sessions AS integer[]), CAST(:shown_numbers AS integer[]))
                 AS shown (session_id, number)
            ON shown.session_id = page.session_id AND shown.number = page.page_number
         WHERE page.session_id = ANY(:ids)
           AND (shown.number IS NOT NULL
                OR NOT EXISTS (SELECT FROM whiteboard_pages other
                                WHERE other.session_id = page.session_id AND other.is_active))
           AND NOT EXISTS (SELECT FROM whiteboard_events event
                            WHERE event.session_id = page.session_id AND event.kind = 'page')
         ORDER BY page.session_id, shown.number DESC NULLS LAST, page.page_number
    )
    UPDATE whiteboard_pages page SET is_active = (page.id = wanted.id)
      FROM wanted
     WHERE page.session_id = wanted.session_id AND page.is_active <> (page.id = wanted.id)
    """
)


@dataclass(frozen=True)
class PlatformBoard:
    """The columns of a session that the platform determines. `id` None: it is new."""

    id: int | None
    host: Participant
    participants: Sequence[Participant]
    title: str | None
    description: str | None
    status: str
    permissions: Mapping[str, bool]
    scheduled_start: datetime | None
    scheduled_end: datetime | None
    actual_start: datetime | None
    actual_end: datetime | None
    # None: unknown; then now, for a new one.
    created_at: datetime | None
    # Who made the first of its sessions there: of a call, the one who called. None: unknown.
    opener: Participant | None = None


class PageKey(NamedTuple):
    """A page of a board, by the id of our session."""

    session_id: int
    number: int


@dataclass(frozen=True)
class PlatformPage:
    """A page there. `leads`: of the side whose titles and colours count; `is_shown`: the page shown last there."""

    key: PageKey
    title: str | None
    colour: str | None
    leads: bool
    is_shown: bool
    created_at: datetime | None


def store_boards(session: Session, boards: Sequence[PlatformBoard]) -> list[int]:
    """Create the new boards and change the others; returns the id of each. Idempotent for those with an id."""
    new = [place for place, board in enumerate(boards) if board.id is None]
    ids = [board.id for board in boards]
    if new:
        taken = session.scalars(_IDS, {"table": "whiteboard_sessions", "number": len(new)}).all()
        for place, board_id in zip(new, taken, strict=True):
            ids[place] = board_id
        session.execute(_CREATE, {"rows": json.dumps([_row(boards[place], ids[place]) for place in new])})
    changed = [board for board in boards if board.id is not None]
    if changed:
        session.execute(_HOLD, {"ids": [board.id for board in changed]})
        session.execute(_CHANGE, {"rows": json.dumps([_row(board, board.id) for board in changed])})
    return [board_id for board_id in ids if board_id is not None]


def store_pages(session: Session, pages: Sequence[PlatformPage]) -> dict[PageKey, int]:
    """Create the pages that their boards do not have yet; returns the id of each. Idempotent.

    Each board then has one active page.
    """
    if not pages:
        return {}
    # Of two sides' pages with one number the leading one's counts.
    first = {page.key: page for page in sorted(pages, key=lambda page: (page.key, page.leads))}
    session_ids = sorted({page.key.session_id for page in pages})
    session.execute(_HOLD, {"ids": session_ids})
    rows = [_page_row(place, page) for place, page in enumerate(first.values())]
    session.execute(_CREATE_PAGES, {"rows": json.dumps(rows)})
    leading = [row for row, page in zip(rows, first.values(), strict=True) if page.leads]
    session.execute(_CHANGE_PAGES, {"rows": json.dumps(leading)})
    _show(session, session_ids, [page.key for page in first.values() if page.is_shown])
    found = session.execute(_FIND_PAGES, {"ids": session_ids})
    return {PageKey(row.session_id, row.page_number): row.id for row in found}


def add_first_pages(session: Session, session_ids: Collection[int]) -> None:
    """Give boards without a page their first one. Idempotent."""
    pages = [PlatformPage(PageKey(each, 1), "Page 1", None, True, True, None) for each in session_ids]
    found = session.execute(_FIND_PAGES, {"ids": list(session_ids)})
    with_pages = {row.session_id for row in found}
    store_pages(session, [page for page in pages if page.key.session_id not in with_pages])


def _show(session: Session, session_ids: Sequence[int], shown: Sequence[PageKey]) -> None:
    values = {"shown_sessions": [key.session_id for key in shown], "shown_numbers": [key.number for key in shown]}
    session.execute(_SHOW_PAGES, {"ids": list(session_ids), **values})


def _row(board: PlatformBoard, board_id: int | None) -> dict[str, Any]:
    return {
        "id": board_id,
        "title": board.title,
        "description": board.description,
        "host_id": board.host.profile_id,
        "host_type": board.host.profile_type,
        "opener_id": board.opener and board.opener.profile_id,
        "opener_type": board.opener and board.opener.profile_type,
        "participant_ids": [each.profile_id for each in board.participants],
        "participant_types": [each.profile_type for each in board.participants],
        "status": board.status,
        "permissions": dict(board.permissions),
        "scheduled_start": _iso(board.scheduled_start),
        "scheduled_end": _iso(board.scheduled_end),
        "actual_start": _iso(board.actual_start),
        "actual_end": _iso(board.actual_end),
        "created_at": _iso(board.created_at),
    }


def _page_row(place: int, page: PlatformPage) -> dict[str, Any]:
    return {
        "place": place,
        "session_id": page.key.session_id,
        "number": page.key.number,
        "title": page.title,
        "colour": page.colour,
        "created_at": _iso(page.created_at),
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()

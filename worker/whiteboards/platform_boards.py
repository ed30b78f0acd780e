"""Boards imported from the platform. Nobody is notified."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.whiteboards.completed_boards import correct_ends
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
LOCK_BOARDS = text("SELECT id FROM whiteboard_sessions WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")
# A board that ended here stays ended: the platform never ends one, but our jobs or people may have. Starts and ends
# that have an event are those of here, all others the platform's.
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
           scheduled_start = coalesce(row.scheduled_start, board.scheduled_start),
           scheduled_end = coalesce(row.scheduled_end, board.scheduled_end),
           actual_start = CASE WHEN row.status IN ('in_progress', 'completed')
                                AND NOT EXISTS (SELECT FROM whiteboard_events event
                                                 WHERE event.session_id = board.id AND event.kind = 'start')
                               THEN coalesce(row.actual_start, row.created_at, board.actual_start)
                               ELSE board.actual_start END,
           actual_end = CASE WHEN row.status = 'completed'
                              AND NOT EXISTS (SELECT FROM whiteboard_events event
                                               WHERE event.session_id = board.id AND event.kind = 'end')
                             THEN coalesce(row.actual_end, row.actual_start, row.created_at, board.actual_end)
                             ELSE board.actual_end END,
           created_at = coalesce(row.created_at, board.created_at), updated_at = now()
      FROM json_to_recordset(CAST(:rows AS json)) AS row (
               id integer, title text, description text, participant_ids json, participant_types json, status text,
               opener_id integer, opener_type text, scheduled_start timestamptz, scheduled_end timestamptz,
               actual_start timestamptz, actual_end timestamptz, created_at timestamptz)
     WHERE board.id = row.id
    """
)


@dataclass(frozen=True)
class PlatformBoard:
    """The columns of a session that the platform determines; `id` is None for a new one."""

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
    # None when unknown: a new session is then stored with the current time.
    created_at: datetime | None
    # Who created the first of its sessions there: for a call, the caller. None: unknown.
    opener: Participant | None = None


def store_boards(session: Session, boards: Sequence[PlatformBoard]) -> list[int]:
    """Insert the new boards and update the others; returns the id of each. Idempotent for those with an id."""
    new = [place for place, board in enumerate(boards) if board.id is None]
    ids = [board.id for board in boards]
    if new:
        taken = session.scalars(_IDS, {"table": "whiteboard_sessions", "number": len(new)}).all()
        for place, board_id in zip(new, taken, strict=True):
            ids[place] = board_id
        session.execute(_CREATE, {"rows": json.dumps([_row(boards[place], ids[place]) for place in new])})
    changed = [board for board in boards if board.id is not None]
    if changed:
        session.execute(LOCK_BOARDS, {"ids": [board.id for board in changed]})
        session.execute(_CHANGE, {"rows": json.dumps([_row(board, board.id) for board in changed])})
        correct_ends(session, [board.id for board in changed if board.id is not None])
    return [board_id for board_id in ids if board_id is not None]


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
        "scheduled_start": iso(board.scheduled_start),
        "scheduled_end": iso(board.scheduled_end),
        "actual_start": iso(board.actual_start),
        "actual_end": iso(board.actual_end),
        "created_at": iso(board.created_at),
    }


def iso(moment: datetime | None) -> str | None:
    """An instant in the form used in JSON."""
    return None if moment is None else moment.isoformat()

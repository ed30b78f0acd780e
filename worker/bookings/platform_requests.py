"""Requests for lessons imported from the platform. Nobody is notified."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True)
class PlatformRequest:
    """The columns of a request that the platform determines; `id` is None for a new one."""

    id: int | None
    tutor_id: int
    # The id of a profile of type `requester_type`.
    requester_id: int
    requester_type: str
    student_id: int | None
    student_name: str | None
    student_grade: str | None
    package_name: str | None
    status: str
    message: str | None
    schedule: Mapping[str, Any] | None
    # Of an accepted request.
    booking_id: int | None
    created_at: datetime | None
    responded_at: datetime | None


_IDS = text("SELECT nextval(pg_get_serial_sequence('session_requests', 'id')) FROM generate_series(1, :number)")
_ROW = """
    AS row (id integer, tutor_id integer, requester_id integer, requester_type text, student_id integer,
            student_name text, student_grade text, package_name text, status text, message text, schedule jsonb,
            booking_id integer, created_at timestamptz, responded_at timestamptz)
"""
_CREATE = text(
    f"""
    INSERT INTO session_requests (id, tutor_id, requester_id, requester_type, student_id, student_name, student_grade,
                                  package_name, status, message, schedule, booking_id, created_at, responded_at)
    SELECT id, tutor_id, requester_id, requester_type, student_id, left(student_name, 255), left(student_grade, 50),
           left(package_name, 255), status, message, schedule, booking_id, coalesce(created_at, now()), responded_at
      FROM jsonb_to_recordset(CAST(:rows AS jsonb)) {_ROW}
     ORDER BY id
    """  # noqa: S608 - constants of this module
)
_LOCK = text("SELECT id FROM session_requests WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")
# A request that was answered here keeps its answer.
_CHANGE = text(
    f"""
    UPDATE session_requests request
       SET tutor_id = row.tutor_id, requester_id = row.requester_id, requester_type = row.requester_type,
           student_id = row.student_id, student_name = left(row.student_name, 255),
           student_grade = left(row.student_grade, 50), package_name = left(row.package_name, 255),
           message = row.message, schedule = row.schedule,
           status = CASE WHEN request.status = 'pending' THEN row.status ELSE request.status END,
           responded_at = CASE WHEN request.status = 'pending' THEN row.responded_at
                               WHEN request.status = row.status
                               THEN coalesce(row.responded_at, request.responded_at)
                               ELSE request.responded_at END,
           created_at = coalesce(row.created_at, request.created_at),
           booking_id = coalesce(request.booking_id, row.booking_id)
      FROM jsonb_to_recordset(CAST(:rows AS jsonb)) {_ROW}
     WHERE request.id = row.id
    """  # noqa: S608 - constants of this module
)
_REMOVE = text("DELETE FROM session_requests WHERE id = ANY(:ids) AND status = 'pending'")


def store_requests(session: Session, requests: Sequence[PlatformRequest]) -> list[int]:
    """Insert the new requests and update the others; returns their ids in order."""
    fresh = iter(session.scalars(_IDS, {"number": sum(request.id is None for request in requests)}).all())
    ids = [next(fresh) if request.id is None else request.id for request in requests]
    placed = list(zip(ids, requests, strict=True))
    changed = [(request_id, request) for request_id, request in placed if request.id is not None]
    created = [(request_id, request) for request_id, request in placed if request.id is None]
    if changed:
        session.execute(_LOCK, {"ids": [request_id for request_id, _ in changed]})
        session.execute(_CHANGE, {"rows": _rows(changed)})
    if created:
        session.execute(_CREATE, {"rows": _rows(created)})
    return ids


def remove_requests(session: Session, ids: Collection[int]) -> None:
    """Delete those of the requests that are still pending; answered ones stay. Idempotent."""
    session.execute(_LOCK, {"ids": list(ids)})
    session.execute(_REMOVE, {"ids": list(ids)})


def _rows(placed: Sequence[tuple[int, PlatformRequest]]) -> str:
    return json.dumps([{**vars(request), "id": request_id} for request_id, request in placed], default=str)

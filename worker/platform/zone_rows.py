"""Read the rows that reveal the server's time zone, few enough to be read in a moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg.sql import SQL, Composed

from worker.platform.catalog import Catalog, Column
from worker.platform.connection import PlatformConnection, Row, StatementRejected
from worker.platform.state import PlatformState, platform_state
from worker.platform.zone_evidence import CallEnd, FirstRequest, Offset, measure

_CALLS = (
    Column("whiteboard_call_history", "id", "integer"),
    Column("whiteboard_call_history", "ended_at", "timestamp"),
    Column("whiteboard_call_history", "canvas_snapshot", "jsonb"),
)
_REQUESTS = (
    Column("requested_sessions", "requester_id", "integer"),
    Column("requested_sessions", "created_at", "timestamp"),
    Column("users", "created_at", "timestamp"),
)
_MONTHS = 24
# Only the newest rows of each month: the pictures stored with the timestamps are large.
_CALL_ENDS = """
    SELECT ended_at, canvas_snapshot ->> 'timestamp' AS browser_at
      FROM (SELECT ended_at, canvas_snapshot,
                   row_number() OVER (PARTITION BY date_trunc('month', ended_at) ORDER BY id DESC) AS newest,
                   dense_rank() OVER (ORDER BY date_trunc('month', ended_at) DESC) AS month
              FROM whiteboard_call_history
             WHERE isfinite(ended_at) AND canvas_snapshot IS NOT NULL) AS ends
     WHERE newest <= 40 AND month <= %(months)s
"""
# Those who asked soonest after signing up, or before: others measure nothing.
_FIRST_REQUESTS = """
    SELECT min(requested_sessions.created_at) AS requested_at, users.created_at AS account_at
      FROM requested_sessions {join}
     WHERE isfinite(requested_sessions.created_at) AND isfinite(users.created_at)
     GROUP BY users.id, users.created_at
     ORDER BY min(requested_sessions.created_at) - users.created_at
     LIMIT 2000
"""
_BY_USER = SQL("JOIN users ON users.id = requester_id")
# Until February 2026 `requester_id` was a profile's id.
_BY_PROFILE = SQL(
    "LEFT JOIN student_profiles student ON requester_type = 'student' AND student.id = requester_id"
    " LEFT JOIN parent_profiles parent ON requester_type = 'parent' AND parent.id = requester_id"
    " JOIN users ON users.id = coalesce(student.user_id, parent.user_id)"
)
_SECONDS = 10.0
# Of times that measure something. Those of the first and the last year have no instant in some zones.
_YEARS = range(2000, 2101)


@dataclass(frozen=True)
class ZoneEvidence:
    """What was measured, and why something could not be measured."""

    offsets: Sequence[Offset]
    imprecise: int
    requests: Sequence[FirstRequest]
    no_calls: str | None
    no_requests: str | None


def read_evidence(connection: PlatformConnection, catalog: Catalog) -> ZoneEvidence:
    """Measure what can be measured. Raises Unavailable."""
    call_rows, no_calls = _rows(connection, catalog, _CALLS, SQL(_CALL_ENDS).format(), {"months": _MONTHS})
    calls = [CallEnd(row.ended_at, browser_at) for row in call_rows if (browser_at := _stamp(row)) is not None]
    offsets, imprecise = measure(calls)
    if no_calls is None and not offsets:
        no_calls = "no call in whiteboard_call_history has both clocks (ended_at, and the browser's time)"
    by = _BY_PROFILE if platform_state(catalog) is PlatformState.DECEMBER_2025 else _BY_USER
    statement = SQL(_FIRST_REQUESTS).format(join=by)
    request_rows, no_requests = _rows(connection, catalog, _REQUESTS, statement, None)
    requests = [
        FirstRequest(row.requested_at, row.account_at)
        for row in request_rows
        if _is_local(row.requested_at) and _is_local(row.account_at)
    ]
    return ZoneEvidence(offsets, imprecise, requests, no_calls, no_requests)


def _rows(
    connection: PlatformConnection,
    catalog: Catalog,
    columns: Sequence[Column],
    statement: Composed,
    values: dict[str, Any] | None,
) -> tuple[Sequence[Row], str | None]:
    """The rows, or why there are none."""
    missing = [f"{column.table}.{column.name}" for column in columns if not catalog.has(column)]
    if missing:
        return [], f"this state of the platform has no {missing[0]}"
    denied = [f"{column.table}.{column.name}" for column in columns if catalog.is_denied(column)]
    if denied:
        return [], f"this role may not read {', '.join(denied)}; run the statements of `astegni platform grants`"
    try:
        return connection.rows(statement, values, seconds=_SECONDS), None
    except StatementRejected as error:
        return [], f"{columns[-1].table} cannot be read: {error.reason}"


def _stamp(row: Row) -> datetime | None:
    """The browser's time in UTC; None if it is invalid or lacks a zone, or if the server's time measures nothing."""
    try:
        stamp = datetime.fromisoformat(row.browser_at or "")
        at = stamp.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if stamp.tzinfo is not None and at.year in _YEARS and _is_local(row.ended_at) else None


def _is_local(written: datetime | None) -> bool:
    """Whether it is a time without a zone, which can be compared with UTC."""
    return written is not None and written.tzinfo is None and written.year in _YEARS

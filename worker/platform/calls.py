"""The platform's calls: each side's browser creates a whiteboard session of its own, and the two are one board here."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from psycopg.sql import SQL, Identifier

from worker.platform.catalog import Catalog, Column
from worker.platform.connection import PlatformConnection, Row

_TABLE = "whiteboard_sessions"
CALL_COLUMNS = {
    "id": Column(_TABLE, "id", "integer", required=True),
    "host_profile_id": Column(_TABLE, "host_profile_id", "integer", required=True),
    "host_profile_type": Column(_TABLE, "host_profile_type", "varchar", required=True),
    "participant_profile_ids": Column(_TABLE, "participant_profile_ids", "integer[]", required=True),
    "participant_profile_types": Column(_TABLE, "participant_profile_types", "varchar[]", required=True),
    "created_at": Column(_TABLE, "created_at", "timestamp", required=True),
}
# The two sessions of a call were 0.1 to 2.2 seconds apart; the next call of the same people came minutes later.
_APART = timedelta(seconds=5)
# Sessions created within seconds of each other have ids this close.
_IDS_APART = 200
_NEAR = """
    SELECT {columns} FROM {table}
      JOIN unnest(CAST(%(first)s AS bigint[]), CAST(%(last)s AS bigint[])) AS span (first, last)
        ON {table}.id BETWEEN span.first AND span.last
     ORDER BY {table}.id
"""


class CallMember(NamedTuple):
    """A profile that takes part in a call; its id means nothing without its type."""

    profile_type: str
    profile_id: int


@dataclass(frozen=True)
class CallSession:
    """The part of a platform's whiteboard session that says who called whom; `created_at` is by the server's clock."""

    id: int
    host: CallMember | None
    participants: tuple[CallMember, ...]
    created_at: datetime | None

    @property
    def people(self) -> tuple[CallMember, ...]:
        """Host and participants, without duplicates."""
        return tuple(dict.fromkeys((*([self.host] if self.host else ()), *self.participants)))


def call_session(row: Row) -> CallSession:
    """The session from a row with CALL_COLUMNS. Participants without a type, who are nobody, are left out."""
    host = None
    if row.host_profile_id is not None and row.host_profile_type is not None:
        host = CallMember(row.host_profile_type, row.host_profile_id)
    named = zip(row.participant_profile_types or (), row.participant_profile_ids or (), strict=False)
    participants = tuple(CallMember(profile_type, profile_id) for profile_type, profile_id in named if profile_type)
    return CallSession(row.id, host, participants, row.created_at)


def sessions_near(connection: PlatformConnection, catalog: Catalog, ids: Collection[int]) -> list[CallSession]:
    """These sessions, and all that may be the other side of one. One statement. Raises Unavailable."""
    spans = _spans(ids)
    columns = [SQL("{}").format(catalog.expression(column)) for column in CALL_COLUMNS.values()]
    statement = SQL(_NEAR).format(columns=SQL(", ").join(columns), table=Identifier(_TABLE))
    values = {"first": [first for first, _ in spans], "last": [last for _, last in spans]}
    return [call_session(row) for row in connection.rows(statement, values, seconds=10.0)]


def match_counterparts(sessions: Iterable[CallSession]) -> dict[int, int]:
    """The other side of each session that has one, by id, in both directions.

    Host and first participant are swapped, and each session is the nearest in time to the other. Neither times nor
    people are enough alone: others call in the same second, and the same two people call again.
    """
    of_pair: dict[frozenset[CallMember], list[CallSession]] = {}
    for session in sessions:
        if session.host is not None and session.participants and session.created_at is not None:
            of_pair.setdefault(frozenset((session.host, session.participants[0])), []).append(session)
    counterparts: dict[int, int] = {}
    for calls in of_pair.values():
        nearest = {call.id: _nearest(call, calls) for call in calls}
        counterparts |= {
            own: other for own, other in nearest.items() if other is not None and nearest[other] == own and own != other
        }
    return counterparts


def leader(sessions: Sequence[CallSession]) -> CallMember | None:
    """Who leads the board of a call: the tutor, whichever side called; without a tutor, the first caller."""
    people = [side for session in sorted(sessions, key=lambda session: session.id) for side in session.people]
    hosts = [side for side in people if side.profile_type in {"tutor", "student"}]
    return next((side for side in hosts if side.profile_type == "tutor"), hosts[0] if hosts else None)


def _nearest(call: CallSession, others: Sequence[CallSession]) -> int | None:
    candidates = [(_distance(call, other), other.id) for other in others if _is_swapped(call, other)]
    distance, other_id = min(candidates, default=(_APART, 0))
    return other_id if candidates and distance <= _APART else None


def _is_swapped(call: CallSession, other: CallSession) -> bool:
    return call.host == other.participants[0] and other.host == call.participants[0] and call.id != other.id


def _distance(call: CallSession, other: CallSession) -> timedelta:
    if call.created_at is None or other.created_at is None:
        return timedelta.max
    return abs(call.created_at - other.created_at)


def _spans(ids: Collection[int]) -> list[tuple[int, int]]:
    """Disjoint spans of ids around these."""
    spans: list[tuple[int, int]] = []
    for each in sorted(ids):
        first, last = each - _IDS_APART, each + _IDS_APART
        if spans and first <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], last)
        else:
            spans.append((first, last))
    return spans

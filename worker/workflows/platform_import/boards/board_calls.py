"""Group rows of whiteboard sessions into calls: one session, or both sides."""

from collections.abc import Sequence
from dataclasses import dataclass

from worker.platform.calls import CallMember, CallSession, call_session, leader, match_counterparts, sessions_near
from worker.workflows.platform_import.kind import IncomingRow, Pull


@dataclass(frozen=True)
class BoardCall:
    """The sessions of one call: one, or both sides."""

    sessions: tuple[CallSession, ...]

    @property
    def leader(self) -> CallMember | None:
        """Who leads the board; None for a call without a host."""
        return leader(self.sessions)

    @property
    def leading(self) -> CallSession:
        """The session whose title and permissions count: the one that the leader made, or else the first."""
        return next((each for each in self.sessions if each.host == self.leader), self.sessions[0])


def calls_of(rows: Sequence[IncomingRow], pull: Pull) -> list[BoardCall]:
    """The calls of these sessions, each once, ordered by id."""
    own = {incoming.row.id: call_session(incoming.row) for incoming in rows}
    known = {each.id: each for each in sessions_near(pull.connection, pull.catalog, own)} | own
    counterparts = match_counterparts(known.values())
    calls: dict[int, BoardCall] = {}
    for session_id in sorted(own):
        ids = sorted({session_id, counterparts.get(session_id, session_id)})
        calls.setdefault(ids[0], BoardCall(tuple(known[each] for each in ids)))
    return list(calls.values())

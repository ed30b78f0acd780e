"""Rows of `requested_sessions` become session requests."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from worker.bookings.platform_requests import remove_requests, store_requests
from worker.platform.catalog import Column
from worker.platform.links import Link
from worker.platform.refusals import Refusal
from worker.platform.requesters import RequesterReading, read_requesters
from worker.platform.source import Join, Source
from worker.workflows.platform_import.bookings.convert_request import convert_request
from worker.workflows.platform_import.bookings.known_requesters import read_known_requesters
from worker.workflows.platform_import.kind import ImportOutcome, IncomingRow, Kind, Pull

_TABLE = "requested_sessions"


class Requests(Kind):
    """Requests for lessons, whatever became of them."""

    name = "request"
    has_local_times = True
    # Version 2 corrects the times of stored rows.
    version = 2
    source = Source(
        _TABLE,
        {
            "id": Column(_TABLE, "id", "integer", required=True),
            "tutor_id": Column(_TABLE, "tutor_id", "integer", required=True),
            "requester_id": Column(_TABLE, "requester_id", "integer", required=True),
            "requester_type": Column(_TABLE, "requester_type", "varchar", required=True),
            "requested_to_id": Column(_TABLE, "requested_to_id", "integer"),
            "package_name": Column("tutor_packages", "name", "varchar"),
            **{name: Column(_TABLE, name, "text") for name in ("status", "message", "preferred_schedule")},
            "schedule_type": Column(_TABLE, "schedule_type", "varchar"),
            **{name: Column(_TABLE, name, "jsonb") for name in ("year_range", "months", "days", "specific_dates")},
            **{name: Column(_TABLE, name, "time") for name in ("start_time", "end_time")},
            **{name: Column(_TABLE, name, "timestamp") for name in ("created_at", "responded_at", "rejected_at")},
        },
        changed=tuple(Column(_TABLE, name, "timestamp") for name in ("updated_at", "created_at")),
        joins=(Join("tutor_packages", "tutor_packages.id = requested_sessions.package_id"),),
    )
    _reading: RequesterReading | None = None

    def store(self, session: Session, rows: Sequence[IncomingRow], pull: Pull) -> Sequence[ImportOutcome]:
        if self._reading is None:
            self._reading = read_requesters(pull.connection, pull.catalog)
        if self._reading.is_contradicted:
            refusal = _contradicted(self._reading)
            return [ImportOutcome(incoming.row.id, incoming.id, (refusal,)) for incoming in rows]
        known = read_known_requesters(session, [incoming.row for incoming in rows], self._reading)
        wanted = {incoming.row.id: convert_request(incoming, known, pull) for incoming in rows}
        taken = {row_id: request for row_id, (request, _) in wanted.items() if request is not None}
        ids = dict(zip(taken, store_requests(session, list(taken.values())), strict=True))
        return [
            ImportOutcome(incoming.row.id, ids.get(incoming.row.id, incoming.id), wanted[incoming.row.id][1])
            for incoming in rows
        ]

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:  # noqa: ARG002 - as in Kind
        """Delete those that are pending; answered ones stay."""
        remove_requests(session, [link.id for link in links if link.id is not None])


def _contradicted(reading: RequesterReading) -> Refusal:
    by_state, other = ("users", "profiles") if reading.are_users else ("profiles", "users")
    reason = (
        f"this state of the platform names {by_state} as requesters, and more rows fit {other}"
        f" ({reading.fit_users} fit users, {reading.fit_profiles} fit profiles)"
    )
    return Refusal("requester-unclear", reason, "Finish the platform's own conversion of requester_id.")

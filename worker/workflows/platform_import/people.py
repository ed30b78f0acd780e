"""Accounts with their profiles, under the platform's own ids, and profiles that belong to no account."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from worker.access.people_store import deactivate_people, store_people
from worker.platform.catalog import Column
from worker.platform.links import Link
from worker.platform.people import PEOPLE_SOURCE, person_of
from worker.platform.refusals import Refusal
from worker.platform.source import Source
from worker.workflows.platform_import.kind import ImportOutcome, Incoming, Kind, Pull


class People(Kind):
    """Accounts. Their times were written by model classes, in UTC, so no zone is needed."""

    name = "person"
    source = PEOPLE_SOURCE
    needs_zone = False

    def store(self, session: Session, rows: Sequence[Incoming], pull: Pull) -> Sequence[ImportOutcome]:
        store_people(session, [person_of(incoming.row) for incoming in rows], read_at=pull.now)
        return [ImportOutcome(incoming.row.id, incoming.row.id) for incoming in rows]

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:
        deactivate_people(session, [link.platform_id for link in links], read_at=pull.now)


class UnownedProfiles(Kind):
    """Profiles without an account: only reported. One that gets an account later comes with it."""

    needs_zone = False

    def __init__(self, role: str) -> None:
        self.name = f"{role}_profile"
        table = f"{role}_profiles"
        columns = {"id": Column(table, "id", "integer", required=True), "user_id": Column(table, "user_id", "integer")}
        self.source = Source(table, columns, where="user_id IS NULL")

    def store(self, session: Session, rows: Sequence[Incoming], pull: Pull) -> Sequence[ImportOutcome]:  # noqa: ARG002
        refusal = Refusal("no-user", "no user", "Give the profile an account on the platform, or delete it there.")
        return [ImportOutcome(incoming.row.id, None, (refusal,)) for incoming in rows]

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:
        """Nothing of ours was made."""

    def may_retry(self, row: object, pull: Pull) -> bool:  # noqa: ARG002 - as in Kind
        return False

"""Accounts with their profiles, under the platform's own ids; profiles without an account are reported."""

from collections.abc import Collection, Sequence

from sqlalchemy.orm import Session

from worker.access.people_store import deactivate_people, store_people
from worker.platform.catalog import Column
from worker.platform.connection import Row
from worker.platform.links import Link
from worker.platform.people_source import PEOPLE_SOURCE, person_of
from worker.platform.refusals import Refusal
from worker.platform.source import Source
from worker.workflows.platform_import.kind import ImportOutcome, IncomingRow, Kind, Pull


class People(Kind):
    """Accounts. Their times were written by model classes, in UTC, so no zone is needed."""

    name = "person"
    source = PEOPLE_SOURCE
    needs_zone = False

    def store(self, session: Session, rows: Sequence[IncomingRow], pull: Pull) -> Sequence[ImportOutcome]:
        store_people(session, [person_of(incoming.row) for incoming in rows], read_at=pull.now)
        return [ImportOutcome(incoming.row.id, incoming.row.id) for incoming in rows]

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:
        deactivate_people(session, [link.platform_id for link in links], read_at=pull.now)


class ProfilesWithoutAccount(Kind):
    """Profiles without an account: only reported. One that gets an account later is imported with it."""

    needs_zone = False
    only_compared = True

    def __init__(self, role: str) -> None:
        self.name = f"{role}_profile"
        table = f"{role}_profiles"
        columns = {"id": Column(table, "id", "integer", required=True), "user_id": Column(table, "user_id", "integer")}
        self.source = Source(table, columns, where="user_id IS NULL")

    def store(self, session: Session, rows: Sequence[IncomingRow], pull: Pull) -> Sequence[ImportOutcome]:  # noqa: ARG002
        refusal = Refusal("no-user", "no user", "Give the profile an account on the platform, or delete it there.")
        return [ImportOutcome(incoming.row.id, None, (refusal,)) for incoming in rows]

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:
        """Does nothing: these rows created none of ours."""

    def may_retry(self, row: object, pull: Pull) -> bool:  # noqa: ARG002 - as in Kind
        return False


_PARENTS = {
    "id": Column("parent_profiles", "id", "integer", required=True),
    "user_id": Column("parent_profiles", "user_id", "integer", required=True),
}


class MissingParents(Kind):
    """Students who name parents that do not exist: only reported; the other parents are imported with the person."""

    name = "student_parent"
    source = Source(
        "student_profiles",
        {
            "id": Column("student_profiles", "id", "integer", required=True),
            "parent_id": Column("student_profiles", "parent_id", "integer[]", required=True),
        },
        where="""student_profiles.user_id IS NOT NULL
            AND EXISTS (SELECT FROM unnest(student_profiles.parent_id) AS named (id)
                         WHERE NOT EXISTS (SELECT FROM parent_profiles
                                            WHERE parent_profiles.id = named.id
                                              AND parent_profiles.user_id IS NOT NULL))""",
        beside=tuple(_PARENTS.values()),
    )
    needs_zone = False
    reads_all = True
    only_compared = True

    def store(self, session: Session, rows: Sequence[IncomingRow], pull: Pull) -> Sequence[ImportOutcome]:  # noqa: ARG002
        named = {parent_id for incoming in rows for parent_id in incoming.row.parent_id if parent_id is not None}
        parents = pull.reader(Source("parent_profiles", _PARENTS)).rows_of(sorted(named))
        there = {row.id for row in parents if row.user_id is not None}
        return [_parents_left_out(incoming.row, there) for incoming in rows]

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:
        """Does nothing: these rows created none of ours."""


def _parents_left_out(row: Row, there: Collection[int]) -> ImportOutcome:
    missing = sorted({parent_id for parent_id in row.parent_id if parent_id is not None and parent_id not in there})
    if not missing:
        # An account was added between the two statements.
        return ImportOutcome(row.id, None)
    reason = f"parent{'s' if len(missing) > 1 else ''} {', '.join(map(str, missing))} left out: nobody's"
    remedy = "Give each an account on the platform, or take them off the student there."
    refusal = Refusal("parents-left-out", reason, remedy, is_refused=False, details={"parents": missing})
    return ImportOutcome(row.id, None, (refusal,))

"""The rows of leases: one for each open upload or stream of a person."""

from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.database import Executor

# A concurrent `take` for the same person waits here until the transaction that counted first has ended.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name || ' ' || :who, 0))")
# Excludes our own leases that were just given back, whose rows may still exist.
_COUNT = text(
    """
    SELECT count(*) AS number, coalesce(sum(size), 0)::bigint AS size FROM limit_leases
     WHERE name = :name AND who = :who AND expires_at > clock_timestamp() AND NOT id = ANY(CAST(:given_back AS uuid[]))
    """
)
_RENEW = text(
    """
    INSERT INTO limit_leases AS lease (id, name, who, size, expires_at)
    SELECT kept.*, clock_timestamp() + make_interval(secs => :seconds)
      FROM unnest(CAST(:ids AS uuid[]), CAST(:names AS text[]), CAST(:whos AS text[]), CAST(:sizes AS bigint[])) AS kept
    ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at
    """
)
_DELETE = text("DELETE FROM limit_leases WHERE id = ANY(CAST(:ids AS uuid[]))")
_PRUNE = text(
    """
    DELETE FROM limit_leases
     WHERE id IN (SELECT id FROM limit_leases WHERE expires_at < clock_timestamp() FOR UPDATE SKIP LOCKED)
    """
)


@dataclass(frozen=True)
class Bound:
    """How many leases called `name` one person may have open, and of how many bytes in total; 0: unlimited."""

    name: str
    most: int
    most_bytes: int = 0

    def fits(self, number: int, total: int, size: int) -> bool:
        """Whether `size` bytes fit in addition to `number` leases of `total` bytes. The first one always does."""
        too_many = 0 < self.most <= number
        too_large = 0 < self.most_bytes < total + size
        return number == 0 or not (too_many or too_large)


@dataclass(frozen=True)
class Lease:
    """One open upload or stream of a person."""

    name: str
    who: str
    size: int
    id: UUID = field(default_factory=uuid4)


def prune_leases(executor: Executor) -> None:
    """Delete expired leases: those of processes that have ended."""
    executor.execute(_PRUNE, {})


def lock_and_check(session: Session, bound: Bound, lease: Lease, given_back: Collection[UUID]) -> bool:
    """Lock this person's leases until the transaction ends; returns whether `lease` fits in addition to them.

    Those in `given_back` do not count.
    """
    values = {"name": lease.name, "who": lease.who}
    session.execute(_LOCK, values)
    row = session.execute(_COUNT, values | {"given_back": given_back}).one()
    return bound.fits(row.number, row.size, lease.size)


def delete_leases(executor: Executor, ids: Collection[UUID]) -> None:
    """Delete the leases with these ids."""
    executor.execute(_DELETE, {"ids": list(ids)})


def renew_leases(executor: Executor, leases: Collection[Lease], seconds: float) -> None:
    """Insert these leases, or renew them for `seconds`."""
    values = {
        "ids": [lease.id for lease in leases],
        "names": [lease.name for lease in leases],
        "whos": [lease.who for lease in leases],
        "sizes": [lease.size for lease in leases],
    }
    executor.execute(_RENEW, values | {"seconds": seconds})

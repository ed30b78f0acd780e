"""Which row of the platform became which of ours (`platform_links`)."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from models.platform import PlatformLink
from worker.array_text import number_array

# One index lookup for each id: the planner has no statistics yet of a table that an import is just filling.
_READ = text(
    """
    SELECT link.platform_id, link.id, link.digest
      FROM unnest(CAST(:platform_ids AS bigint[])) AS wanted (id)
     CROSS JOIN LATERAL (SELECT platform_id, id, digest FROM platform_links
                          WHERE kind = :kind AND platform_id = wanted.id
                         OFFSET 0) AS link
    """
)
_WRITE = text(
    """
    INSERT INTO platform_links (kind, platform_id, id, digest)
    SELECT :kind, link.platform_id, link.id, link.digest
      FROM unnest(CAST(:platform_ids AS bigint[]), CAST(:ids AS bigint[]), CAST(:digests AS bytea[]))
           AS link (platform_id, id, digest)
     ORDER BY link.platform_id
        ON CONFLICT (kind, platform_id) DO UPDATE SET id = excluded.id, digest = excluded.digest
    """
)
# Sets a longer timeout than other locks have, locks, and restores it; the list is evaluated from left to right.
_LOCK_KIND = text(
    """
    SELECT set_config('lock_timeout', '25s', true), pg_advisory_xact_lock(:lock, hashtext(:kind)),
           set_config('lock_timeout', usual.value, true)
      FROM (SELECT current_setting('lock_timeout') AS value OFFSET 0) AS usual
    """
)
_LOCK = 0x706C6C6B  # "pllk"


class Link(NamedTuple):
    """A platform row that was read: the id of our row (None: refused, or nothing of ours), and its digest."""

    platform_id: int
    id: int | None
    digest: bytes


def lock_kind(session: Session, kind: str) -> None:
    """Lock the kind until the transaction ends: a second import waits, and then finds what this one has stored.

    The lock timeout is longer than usual, since a batch on a slow machine takes seconds.
    """
    session.execute(_LOCK_KIND, {"lock": _LOCK, "kind": kind})


def read_links(session: Session, kind: str, platform_ids: Collection[int]) -> dict[int, Link]:
    """The links of those of these rows that were read before, by platform id."""
    if not platform_ids:
        return {}
    rows = session.execute(_READ, {"kind": kind, "platform_ids": number_array(platform_ids)})
    return {row.platform_id: Link(*row) for row in rows}


def our_ids(session: Session, kind: str, platform_ids: Collection[int]) -> dict[int, int]:
    """The ids of our rows by platform id, without those that were refused or never read."""
    return {
        platform_id: link.id
        for platform_id, link in read_links(session, kind, platform_ids).items()
        if link.id is not None
    }


def links_between(session: Session, kind: str, *, after: int, until: int | None) -> list[Link]:
    """All links with platform ids above `after` and up to `until` (None: no upper limit), in order."""
    statement = select(PlatformLink.platform_id, PlatformLink.id, PlatformLink.digest)
    statement = statement.where(PlatformLink.kind == kind, PlatformLink.platform_id > after)
    if until is not None:
        statement = statement.where(PlatformLink.platform_id <= until)
    return [Link(*row) for row in session.execute(statement.order_by(PlatformLink.platform_id))]


def count_links(session: Session, kind: str) -> int:
    """How many rows of this kind became one of ours."""
    statement = select(func.count()).where(PlatformLink.kind == kind, PlatformLink.id.is_not(None))
    return session.scalar(statement) or 0


def linked_platform_ids(session: Session, kind: str, ids: Collection[int]) -> dict[int, list[int]]:
    """The platform ids of our rows, by our id, in order."""
    statement = select(PlatformLink.id, PlatformLink.platform_id)
    of_kind = (PlatformLink.kind == kind, PlatformLink.id == func.any(list(ids)))
    platform_ids_of: dict[int, list[int]] = {}
    for our_id, platform_id in session.execute(statement.where(*of_kind).order_by(PlatformLink.platform_id)):
        if our_id is not None:
            platform_ids_of.setdefault(our_id, []).append(platform_id)
    return platform_ids_of


def links_with(session: Session, kind: str, digests: Collection[bytes]) -> list[Link]:
    """The links of this kind that have one of these digests, in order."""
    statement = select(PlatformLink.platform_id, PlatformLink.id, PlatformLink.digest)
    of_kind = (PlatformLink.kind == kind, PlatformLink.digest == func.any(list(digests)))
    return [Link(*row) for row in session.execute(statement.where(*of_kind).order_by(PlatformLink.platform_id))]


def write_links(session: Session, kind: str, links: Sequence[Link]) -> None:
    """Insert or replace links. Idempotent."""
    if links:
        digests = ",".join([f'"\\\\x{link.digest.hex()}"' for link in links])
        values = {
            "platform_ids": number_array([link.platform_id for link in links]),
            "ids": number_array([link.id for link in links]),
            "digests": f"{{{digests}}}",
        }
        session.execute(_WRITE, {"kind": kind, **values})


def remove_links(session: Session, kind: str, platform_ids: Collection[int]) -> None:
    """Delete the links of rows that the platform has deleted."""
    of_kind = (PlatformLink.kind == kind, PlatformLink.platform_id == func.any(list(platform_ids)))
    session.execute(delete(PlatformLink).where(*of_kind))

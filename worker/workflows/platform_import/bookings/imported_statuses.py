"""The status that the platform last gave each booking, so that one which people have set here since then stays."""

from collections.abc import Collection, Mapping

from sqlalchemy.orm import Session

from worker.platform.links import Link, read_links, write_links

# Links from our own id to itself; the digest is the status.
_KIND = "booking_status"


def imported_statuses(session: Session, booking_ids: Collection[int]) -> dict[int, str]:
    """The status of each of these bookings when it was last imported; those of older releases are left out."""
    return {link.platform_id: link.digest.decode() for link in read_links(session, _KIND, booking_ids).values()}


def note_statuses(session: Session, statuses: Mapping[int, str]) -> None:
    """Record the statuses that the platform gives; keyed by our id."""
    write_links(session, _KIND, [Link(each, each, status.encode()) for each, status in sorted(statuses.items())])

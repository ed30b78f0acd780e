"""Which bookings a group there gave, and no enrolment: they end with the group."""

from collections.abc import Collection, Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.bookings import Booking
from models.platform import PlatformLink
from worker.bookings.platform_bookings import Pair
from worker.platform.links import Link, remove_links, write_links

# Links from our own id to itself, since a group may give many bookings; the digest is the id of the group.
_KIND = "group_booking"


def note_group_bookings(session: Session, groups: Mapping[int, int]) -> None:
    """Record which group there gave which booking of ours, by our id: it ends with the group."""
    write_links(session, _KIND, [Link(each, each, str(group).encode()) for each, group in sorted(groups.items())])


def bookings_of_groups(session: Session, group_ids: Collection[int]) -> dict[int, Pair]:
    """The pairs of bookings that these groups gave, by the id of the booking."""
    written = [str(group_id).encode() for group_id in group_ids]
    statement = select(Booking.id, Booking.tutor_id, Booking.student_id).join(
        PlatformLink, (PlatformLink.kind == _KIND) & (PlatformLink.platform_id == Booking.id)
    )
    rows = session.execute(statement.where(PlatformLink.digest == func.any(written)))
    return {row.id: Pair(row.tutor_id, row.student_id) for row in rows}


def forget_group_bookings(session: Session, booking_ids: Collection[int]) -> None:
    """Delete what is recorded of these bookings."""
    remove_links(session, _KIND, booking_ids)

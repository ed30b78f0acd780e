"""Bookings that came from a group of the platform rather than an enrolment: they end with the group."""

from collections.abc import Collection, Mapping

from sqlalchemy.orm import Session

from worker.bookings.platform_bookings import Pair, pairs_of_bookings
from worker.platform.links import Link, links_with, remove_links, write_links

# Links from our own id to itself, since a group may have many bookings; the digest is the id of the group.
_KIND = "group_booking"


def note_group_bookings(session: Session, groups: Mapping[int, int]) -> None:
    """Record which group of the platform each of our bookings came from; keyed by our id."""
    write_links(session, _KIND, [Link(each, each, str(group).encode()) for each, group in sorted(groups.items())])


def bookings_of_groups(session: Session, group_ids: Collection[int]) -> dict[int, Pair]:
    """The pairs of the bookings that came from these groups, by booking id."""
    links = links_with(session, _KIND, [str(group_id).encode() for group_id in group_ids])
    return pairs_of_bookings(session, [link.platform_id for link in links])


def groups_of_bookings(session: Session, group_ids: Collection[int]) -> dict[int, int]:
    """Which of these groups each booking came from, by booking id."""
    links = links_with(session, _KIND, [str(group_id).encode() for group_id in group_ids])
    return {link.platform_id: int(link.digest) for link in links}


def forget_group_bookings(session: Session, booking_ids: Collection[int]) -> None:
    """Delete what is recorded of these bookings."""
    remove_links(session, _KIND, booking_ids)

"""Enrolments become bookings: one for each pair of a tutor and a student.

Of several enrolments of one pair an active one decides, and of equal ones the latest.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from worker.bookings.platform_bookings import Pair, bookings_of_pairs, end_bookings, store_bookings
from worker.platform.catalog import Column
from worker.platform.connection import Row
from worker.platform.links import Link, linked_platform_ids, our_ids
from worker.platform.source import Join, Source
from worker.workflows.platform_import.bookings.courses import course_names
from worker.workflows.platform_import.bookings.follow_imported import follow_imported
from worker.workflows.platform_import.bookings.imported_statuses import imported_statuses, note_statuses
from worker.workflows.platform_import.bookings.pair_bookings import (
    ENROLMENT,
    PACKAGE_COLUMNS,
    known_pairs,
    pair_booking,
    pair_without_account,
)
from worker.workflows.platform_import.kind import ImportOutcome, IncomingRow, Kind, Pull
from worker.workflows.platform_import.unknown_words import unknown_booking_words
from worker.workflows.platform_import.words import booking_status

# The enrolment with the highest rank decides.
_RANKS = {"active": 3, "paused": 2, "completed": 1, "cancelled": 0}


class Enrolments(Kind):
    """Who pays whom for which package. A change of status leaves no trace there, so all of them are read."""

    name = ENROLMENT
    source = Source(
        "enrolled_students",
        {
            "id": Column("enrolled_students", "id", "integer", required=True),
            "tutor_id": Column("enrolled_students", "tutor_id", "integer", required=True),
            "student_id": Column("enrolled_students", "student_id", "integer", required=True),
            "status": Column("enrolled_students", "status", "varchar"),
            "agreed_price": Column("enrolled_students", "agreed_price", "numeric"),
            "enrolled_at": Column("enrolled_students", "enrolled_at", "timestamp"),
            "created_at": Column("enrolled_students", "created_at", "timestamp"),
            **PACKAGE_COLUMNS,
        },
        changed=(Column("enrolled_students", "created_at", "timestamp"),),
        joins=(Join("tutor_packages", "tutor_packages.id = enrolled_students.package_id"),),
    )
    reads_all = True
    # Version 2 records the statuses that the platform gives, version 3 corrects the times of stored rows.
    version = 3

    def store(self, session: Session, rows: Sequence[IncomingRow], pull: Pull) -> Sequence[ImportOutcome]:
        pairs = {_pair(incoming.row) for incoming in rows}
        known = known_pairs(session, pairs)
        bookings = self._bookings(session, known, pull)
        return [self._outcome(incoming, bookings) for incoming in rows]

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:
        """End the bookings of pairs without another enrolment; the bookings of other pairs follow those that remain."""
        gone = {link.platform_id for link in links}
        linked = linked_platform_ids(session, self.name, [link.id for link in links if link.id is not None])
        others = {booking_id: sorted(set(ids) - gone) for booking_id, ids in linked.items()}
        ended = [booking_id for booking_id, ids in others.items() if not ids]
        end_bookings(session, ended)
        follow_imported(session, ended, pull)
        staying = [platform_id for ids in others.values() for platform_id in ids]
        rows = pull.reader(self.source).rows_of(staying) if staying else []
        self._bookings(session, {_pair(row) for row in rows}, pull)

    def _bookings(self, session: Session, pairs: Collection[Pair], pull: Pull) -> dict[Pair, int]:
        """Store the booking of each pair by all enrolments that it has there."""
        if not pairs:
            return {}
        enrolments: defaultdict[Pair, list[Row]] = defaultdict(list)
        for row in pull.reader(self.source).rows_with(("tutor_id", "student_id"), sorted(pairs)):
            enrolments[_pair(row)].append(row)
        linked = our_ids(session, self.name, [row.id for rows in enrolments.values() for row in rows])
        ids = self._ids(session, enrolments, linked)
        before = imported_statuses(session, ids.values())
        names = course_names(pull, [row.package_courses for rows in enrolments.values() for row in rows])
        wanted = []
        for pair in sorted(enrolments):
            deciding = max(enrolments[pair], key=_rank)
            booking = pair_booking(pair, ids.get(pair), deciding, names, pull)
            known = before.get(booking.id or 0, "unknown") if deciding.id in linked else None
            wanted.append(replace(booking, status_before=known))
        stored = store_bookings(session, wanted)
        note_statuses(session, {stored[booking.pair]: booking.status for booking in wanted})
        follow_imported(session, stored.values(), pull)
        return stored

    def _ids(self, session: Session, enrolments: dict[Pair, list[Row]], linked: dict[int, int]) -> dict[Pair, int]:
        """The booking of each pair: that of an enrolment imported before, else any that the pair has."""
        ids = bookings_of_pairs(session, enrolments)
        for pair, rows in enrolments.items():
            of_pair = [linked[row.id] for row in rows if row.id in linked]
            if of_pair:
                ids[pair] = of_pair[0]
        return ids

    def _outcome(self, incoming: IncomingRow, bookings: dict[Pair, int]) -> ImportOutcome:
        row = incoming.row
        booking_id = bookings.get(_pair(row))
        if booking_id is None:
            return ImportOutcome(row.id, incoming.id, (pair_without_account(_pair(row)),))
        return ImportOutcome(row.id, booking_id, unknown_booking_words(row.status, row.session_format))


def _pair(row: Row) -> Pair:
    return Pair(row.tutor_id, row.student_id)


def _rank(row: Row) -> tuple[int, int]:
    return _RANKS.get(booking_status(row.status) or "paused", 0), row.id

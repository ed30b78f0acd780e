"""Bookings imported from the platform: one for each pair of a tutor and a student. Nobody is notified."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.array_text import number_array


class Pair(NamedTuple):
    """A tutor and a student, by profile ids."""

    tutor_id: int
    student_id: int


@dataclass(frozen=True)
class PlatformBooking:
    """The columns of a booking that the platform determines; `id` is None for a new one."""

    pair: Pair
    id: int | None
    status: str
    subject: str | None
    package_name: str | None
    session_type: str | None
    session_duration: int | None
    price_per_session: Decimal | None
    # None when unknown: a new booking is then stored with the current time.
    created_at: datetime | None
    # The status when the row that decides was last imported: None if it is new, `unknown` if no release recorded it.
    status_before: str | None = None


_FIND = text(
    """
    SELECT DISTINCT ON (booking.tutor_id, booking.student_id) booking.tutor_id, booking.student_id, booking.id
      FROM unnest(CAST(:tutors AS integer[]), CAST(:students AS integer[])) AS pair (tutor_id, student_id)
      JOIN tutor_student_bookings booking
        ON booking.student_id = pair.student_id AND booking.tutor_id = pair.tutor_id
       AND booking.status NOT IN ('pending', 'declined')
     ORDER BY booking.tutor_id, booking.student_id, booking.status NOT IN ('active', 'paused'), booking.id
    """
)
_PAIRS = text("SELECT id, tutor_id, student_id FROM tutor_student_bookings WHERE id = ANY(CAST(:ids AS integer[]))")
# ORDER BY, so that ids are assigned in the order of the rows.
_CREATE = text(
    """
    INSERT INTO tutor_student_bookings (tutor_id, student_id, status, subject, package_name, session_type,
                                        session_duration, price_per_session, created_at)
    SELECT tutor_id, student_id, status, left(subject, 200), left(package_name, 255), session_type, session_duration,
           price_per_session, coalesce(created_at, now())
      FROM json_to_recordset(CAST(:rows AS json))
           AS row (number integer, tutor_id integer, student_id integer, status text, subject text, package_name text,
                   session_type text, session_duration integer, price_per_session numeric, created_at timestamptz)
     ORDER BY number
    RETURNING tutor_id, student_id, id
    """
)
# A status that people have set here stays until it changes there. Where no release recorded what it was there, an end
# stays: both sides may end a booking at any time.
_CHANGE = text(
    """
    UPDATE tutor_student_bookings booking
       SET status = CASE WHEN row.status_before = row.status THEN booking.status
                         WHEN row.status_before = 'unknown' AND booking.status IN ('completed', 'cancelled')
                         THEN booking.status ELSE row.status END,
           subject = left(row.subject, 200), package_name = left(row.package_name, 255),
           session_type = row.session_type, session_duration = row.session_duration,
           price_per_session = row.price_per_session, created_at = coalesce(row.created_at, booking.created_at)
      FROM json_to_recordset(CAST(:rows AS json))
           AS row (id integer, status text, status_before text, subject text, package_name text, session_type text,
                   session_duration integer, price_per_session numeric, created_at timestamptz)
     WHERE booking.id = row.id
    """
)
_HOLD = text("SELECT id FROM tutor_student_bookings WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")
_DATE = text(
    """
    UPDATE tutor_student_bookings booking SET created_at = row.created_at
      FROM unnest(CAST(:ids AS integer[]), CAST(:moments AS timestamptz[])) AS row (id, created_at)
     WHERE booking.id = row.id
    """
)
_END = text(
    "UPDATE tutor_student_bookings SET status = 'cancelled' WHERE id = ANY(:ids) AND status IN ('active', 'paused')"
)


def bookings_of_pairs(session: Session, pairs: Collection[Pair]) -> dict[Pair, int]:
    """The agreed booking of each pair that has one: a live one if there is any, else the oldest."""
    values = {
        "tutors": number_array([pair.tutor_id for pair in pairs]),
        "students": number_array([pair.student_id for pair in pairs]),
    }
    return {Pair(row.tutor_id, row.student_id): row.id for row in session.execute(_FIND, values)}


def pairs_of_bookings(session: Session, ids: Collection[int]) -> dict[int, Pair]:
    """The pairs of these bookings, by id; those that do not exist are left out."""
    rows = session.execute(_PAIRS, {"ids": number_array(ids)})
    return {row.id: Pair(row.tutor_id, row.student_id) for row in rows}


def store_bookings(session: Session, bookings: Sequence[PlatformBooking]) -> dict[Pair, int]:
    """Insert the new bookings, at most one for each pair, and update the others; returns each pair's id."""
    known = {booking.pair: booking.id for booking in bookings if booking.id is not None}
    changed = [_row(booking) for booking in bookings if booking.id is not None]
    if changed:
        session.execute(_HOLD, {"ids": list(known.values())})
        session.execute(_CHANGE, {"rows": json.dumps(changed)})
    new = [_row(booking) | {"number": number} for number, booking in enumerate(bookings) if booking.id is None]
    if not new:
        return known
    created = session.execute(_CREATE, {"rows": json.dumps(new)})
    return known | {Pair(row.tutor_id, row.student_id): row.id for row in created}


def date_bookings(session: Session, created: Mapping[int, datetime]) -> None:
    """Correct when these bookings were created, by id. Idempotent."""
    session.execute(_HOLD, {"ids": list(created)})
    session.execute(_DATE, {"ids": list(created), "moments": list(created.values())})


def end_bookings(session: Session, ids: Collection[int]) -> None:
    """Cancel live bookings whose enrolment the platform has deleted. Idempotent."""
    session.execute(_HOLD, {"ids": list(ids)})
    session.execute(_END, {"ids": list(ids)})


def _row(booking: PlatformBooking) -> dict[str, object]:
    price, created_at = booking.price_per_session, booking.created_at
    return {
        **vars(booking),
        "pair": None,
        **booking.pair._asdict(),
        "price_per_session": None if price is None else str(price),
        "created_at": None if created_at is None else created_at.isoformat(),
    }

"""Boards of the platform of 2025 belong to bookings."""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.orm import Session

_LINK = text(
    """
    UPDATE whiteboard_sessions board SET booking_id = named.booking_id, session_notes = named.notes
      FROM unnest(CAST(:ids AS integer[]), CAST(:bookings AS integer[]), CAST(:notes AS text[]))
           AS named (id, booking_id, notes)
     WHERE board.id = named.id
    """
)


def name_bookings(session: Session, boards: Mapping[int, tuple[int | None, str | None]]) -> None:
    """Store the booking and the tutor's notes of these boards. Idempotent."""
    values = {
        "ids": list(boards),
        "bookings": [booking_id for booking_id, _ in boards.values()],
        "notes": [notes for _, notes in boards.values()],
    }
    session.execute(_LINK, values)

"""Boards of the platform of 2025 belong to bookings, and their strokes to users."""

from collections.abc import Collection, Mapping

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
_PEOPLE = text(
    """
    SELECT id, host_profile_type, host_profile_id, participant_profile_types, participant_profile_ids
      FROM whiteboard_sessions WHERE id = ANY(:ids)
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


def people_of_boards(session: Session, ids: Collection[int]) -> dict[int, frozenset[tuple[str, int]]]:
    """The host and the participants of each board, as (kind, id) of their profiles."""
    people = {}
    for row in session.execute(_PEOPLE, {"ids": list(ids)}):
        others = zip(row.participant_profile_types, row.participant_profile_ids, strict=True)
        people[row.id] = frozenset({(row.host_profile_type, row.host_profile_id), *others})
    return people

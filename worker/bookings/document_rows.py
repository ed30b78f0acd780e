"""Requests, bookings and enrolments of the platform of 2025, stored as its tables have them. Nobody is notified."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy.orm import Session

from models.bookings import Booking, Enrollment, SessionRequest

_Row = TypeVar("_Row", Booking, SessionRequest, Enrollment)


class DocumentRow(NamedTuple):
    """The columns of one of our rows; `id` is None for a new one."""

    id: int | None
    columns: Mapping[str, Any]


def store_document_bookings(session: Session, rows: Sequence[DocumentRow]) -> list[int]:
    """Insert the new bookings and update the others; returns their ids in order. A deleted row is inserted again."""
    return [booking.id for booking in _stored(session, Booking, rows)]


def store_document_requests(session: Session, rows: Sequence[DocumentRow]) -> list[int]:
    """As `store_document_bookings`, for requests."""
    return [request.id for request in _stored(session, SessionRequest, rows)]


def store_document_enrollments(session: Session, rows: Sequence[DocumentRow]) -> list[int]:
    """As `store_document_bookings`, for enrolments, from which the caller makes bookings."""
    return [enrollment.id for enrollment in _stored(session, Enrollment, rows)]


def _stored(session: Session, table: type[_Row], rows: Sequence[DocumentRow]) -> list[_Row]:
    stored = []
    for row in rows:
        row_before = None if row.id is None else session.get(table, row.id)
        entity = row_before or table()
        for name, value in row.columns.items():
            setattr(entity, name, value)
        session.add(entity)
        stored.append(entity)
    session.flush()
    return stored

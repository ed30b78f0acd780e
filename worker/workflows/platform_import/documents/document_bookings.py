"""Bookings, requests and enrolments of the platform of 2025, as the document of its tables describes them.

Bookings hold users.id and get the profiles of these users; requests and enrolments hold profile ids.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from worker.bookings.document_rows import DocumentRow, store_document_bookings
from worker.bookings.platform_bookings import end_bookings
from worker.platform.links import Link
from worker.workflows.platform_import.bookings.follow_imported import follow_imported
from worker.workflows.platform_import.bookings.imported_statuses import imported_statuses, note_statuses
from worker.workflows.platform_import.documents.document_people import profiles_of_users, without_profile
from worker.workflows.platform_import.documents.document_source import created_column, document_source
from worker.workflows.platform_import.kind import ImportOutcome, IncomingRow, Kind, Pull
from worker.workflows.platform_import.unknown_words import unknown_booking_words
from worker.workflows.platform_import.words import booking_status, session_format

DOCUMENT_BOOKING = "document_booking"


class DocumentBookings(Kind):
    """A tutor and a student by users.id. The same ids as profile ids may be other people's."""

    name = DOCUMENT_BOOKING
    source = document_source(
        "tutor_student_bookings",
        ("tutor_id", "student_id"),
        **dict.fromkeys(("subject", "grade_level", "session_type", "status", "currency", "notes"), "varchar"),
        **dict.fromkeys(("sessions_per_week", "session_duration"), "integer"),
        **dict.fromkeys(("start_date", "end_date"), "date"),
        price_per_session="numeric",
        created_at="timestamp",
    )

    # Nothing there tells when a row was changed.
    reads_all = True

    def store(self, session: Session, rows: Sequence[IncomingRow], pull: Pull) -> Sequence[ImportOutcome]:
        tutors = profiles_of_users(session, "tutor", [incoming.row.tutor_id for incoming in rows])
        students = profiles_of_users(session, "student", [incoming.row.student_id for incoming in rows])
        before = imported_statuses(session, [incoming.id for incoming in rows if incoming.id is not None])
        statuses: dict[int, str] = {}
        outcomes: list[ImportOutcome] = []
        for incoming in rows:
            row = incoming.row
            tutor_id, student_id = tutors.get(row.tutor_id), students.get(row.student_id)
            if tutor_id is None or student_id is None:
                missing = (row.tutor_id, "tutor") if tutor_id is None else (row.student_id, "student")
                outcomes.append(ImportOutcome(row.id, incoming.id, (without_profile(*missing),)))
                continue
            columns = {"tutor_id": tutor_id, "student_id": student_id} | _booking_columns(row, pull)
            status = columns["status"]
            if before.get(incoming.id or 0) == status:
                # One that people have set here stays until it changes there.
                del columns["status"]
            (booking_id,) = store_document_bookings(session, [DocumentRow(incoming.id, columns)])
            statuses[booking_id] = status
            follow_imported(session, [booking_id], pull)
            outcomes.append(ImportOutcome(row.id, booking_id, unknown_booking_words(row.status, row.session_type)))
        note_statuses(session, statuses)
        return outcomes

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:
        ended = [link.id for link in links if link.id is not None]
        end_bookings(session, ended)
        follow_imported(session, ended, pull)


def _booking_columns(row: Any, pull: Pull) -> dict[str, Any]:
    same = ("subject", "grade_level", "sessions_per_week", "session_duration", "start_date", "end_date")
    return {
        **{name: getattr(row, name) for name in (*same, "price_per_session", "currency", "notes")},
        "session_type": session_format(row.session_type),
        # An unknown word means that something is unusual.
        "status": booking_status(row.status) or "paused",
        **created_column(row, pull),
    }

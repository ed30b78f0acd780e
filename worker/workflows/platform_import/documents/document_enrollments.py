"""Enrolments of the platform of 2025, an older shape of bookings."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from worker.bookings.document_rows import DocumentRow, store_document_enrollments
from worker.platform.links import Link
from worker.platform.refusals import Refusal
from worker.workflows.import_enrollments import import_enrolled
from worker.workflows.platform_import.documents.document_people import stored_profiles, unknown_profile
from worker.workflows.platform_import.documents.document_source import created_column, document_source
from worker.workflows.platform_import.kind import ImportOutcome, IncomingRow, Kind, Pull
from worker.workflows.platform_import.words import booking_status

_PAYMENTS = frozenset({"pending", "paid", "overdue"})


class DocumentEnrollments(Kind):
    """An older form of bookings: each subject becomes a booking, as `astegni legacy import-enrollments` makes it."""

    name = "document_enrollment"
    source = document_source(
        "tutor_student_enrollments",
        ("tutor_id", "student_id"),
        subjects="json",
        **dict.fromkeys(("start_date", "end_date"), "date"),
        **dict.fromkeys(("session_frequency", "payment_status", "status"), "varchar"),
        **dict.fromkeys(("session_duration", "total_sessions_planned", "sessions_completed"), "integer"),
        **dict.fromkeys(("hourly_rate", "total_paid"), "double precision"),
        is_active="boolean",
        created_at="timestamp",
    )

    # Nothing there tells when a row was changed.
    reads_all = True

    def store(self, session: Session, rows: Sequence[IncomingRow], pull: Pull) -> Sequence[ImportOutcome]:
        tutors = stored_profiles(session, "tutor", [incoming.row.tutor_id for incoming in rows])
        students = stored_profiles(session, "student", [incoming.row.student_id for incoming in rows])
        outcomes = []
        for incoming in rows:
            row = incoming.row
            if row.tutor_id not in tutors or row.student_id not in students:
                missing = (row.tutor_id, "tutor") if row.tutor_id not in tutors else (row.student_id, "student")
                outcomes.append(ImportOutcome(row.id, incoming.id, (unknown_profile(*missing),)))
                continue
            stored = DocumentRow(incoming.id, _enrollment_columns(row, pull))
            (enrollment_id,) = store_document_enrollments(session, [stored])
            outcomes.append(ImportOutcome(row.id, enrollment_id, _unread_subjects(session, row, enrollment_id)))
        return outcomes

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:
        """Nothing to remove: the bookings made from it stay."""


def _enrollment_columns(row: Any, pull: Pull) -> dict[str, Any]:
    same = ("tutor_id", "student_id", "subjects", "start_date", "end_date", "session_frequency", "session_duration")
    numbers = ("total_sessions_planned", "sessions_completed", "hourly_rate", "total_paid", "is_active")
    status = booking_status(row.status)
    return {
        **{name: getattr(row, name) for name in (*same, *numbers)},
        "payment_status": row.payment_status if row.payment_status in _PAYMENTS else None,
        "status": status if status in ("active", "completed") else "paused",
        **created_column(row, pull),
    }


def _unread_subjects(session: Session, row: Any, enrollment_id: int) -> tuple[Refusal, ...]:
    """Make the missing bookings of the enrolment; returns refusals for subjects that did not become one."""
    remedy = 'Write the subjects as a list of names like ["Mathematics", "Physics"].'
    if isinstance(row.subjects, str):
        return (Refusal("subjects-text", "subjects is a text, not a list", remedy, is_refused=False),)
    reasons = [line.reason for line in import_enrolled(session, [enrollment_id]) if line.outcome == "refused"]
    if not reasons:
        return ()
    return (Refusal("no-booking", "; ".join(filter(None, reasons)), remedy, is_refused=False),)

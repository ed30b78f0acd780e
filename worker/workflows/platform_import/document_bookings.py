"""Bookings, requests and enrolments of the platform of 2025, as the document of its tables describes them.

Bookings hold users.id and are given the profiles of these users; requests and enrolments hold profile ids.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from models.people import PROFILE_TABLES
from worker.bookings.document_rows import (
    DocumentRow,
    store_document_bookings,
    store_document_enrollments,
    store_document_requests,
)
from worker.bookings.platform_bookings import end_bookings
from worker.bookings.platform_requests import remove_requests
from worker.platform.catalog import Column
from worker.platform.links import Link
from worker.platform.refusals import Refusal
from worker.platform.source import Source
from worker.workflows.import_enrollments import import_enrolled
from worker.workflows.platform_import.document_people import (
    profiles_of_users,
    stored_profiles,
    unknown_profile,
    without_profile,
)
from worker.workflows.platform_import.kind import ImportOutcome, Incoming, Kind, Pull
from worker.workflows.platform_import.words import booking_status, session_format

DOCUMENT_BOOKING = "document_booking"
_STATUSES = frozenset({"pending", "accepted", "rejected"})
_PAYMENTS = frozenset({"pending", "paid", "overdue"})


def document_source(table: str, required: Sequence[str], **columns: str) -> Source:
    """A table of the document: its integer key, integer columns without which a row is useless, others by type."""
    return Source(
        table,
        {
            "id": Column(table, "id", "integer", required=True),
            **{name: Column(table, name, "integer", required=True) for name in required},
            **{name: Column(table, name, kind) for name, kind in columns.items()},
        },
    )


class DocumentBookings(Kind):
    """A tutor and a student by users.id. Numbers that fit as profile ids may be other people's."""

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

    def store(self, session: Session, rows: Sequence[Incoming], pull: Pull) -> Sequence[ImportOutcome]:
        tutors = profiles_of_users(session, "tutor", [incoming.row.tutor_id for incoming in rows])
        students = profiles_of_users(session, "student", [incoming.row.student_id for incoming in rows])
        outcomes: list[ImportOutcome] = []
        for incoming in rows:
            row = incoming.row
            tutor_id, student_id = tutors.get(row.tutor_id), students.get(row.student_id)
            if tutor_id is None or student_id is None:
                missing = (row.tutor_id, "tutor") if tutor_id is None else (row.student_id, "student")
                outcomes.append(ImportOutcome(row.id, incoming.id, (without_profile(*missing),)))
                continue
            people = {"tutor_id": tutor_id, "student_id": student_id}
            (booking_id,) = store_document_bookings(
                session, [DocumentRow(incoming.id, people | _booking_columns(row, pull))]
            )
            outcomes.append(ImportOutcome(row.id, booking_id, _unknown_words(row)))
        return outcomes

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:  # noqa: ARG002 - as in Kind
        end_bookings(session, [link.id for link in links if link.id is not None])


class DocumentRequests(Kind):
    """A tutor and who asks, by profile ids."""

    name = "document_request"
    source = document_source(
        "session_requests",
        ("tutor_id", "requester_id"),
        requester_type="varchar",
        **dict.fromkeys(("package_name", "status", "student_name", "student_grade", "message"), "text"),
        **dict.fromkeys(("contact_phone", "contact_email"), "varchar"),
        **dict.fromkeys(("created_at", "responded_at"), "timestamp"),
    )

    def store(self, session: Session, rows: Sequence[Incoming], pull: Pull) -> Sequence[ImportOutcome]:
        known = {
            role: stored_profiles(
                session,
                role,
                [each for incoming in rows for each in (incoming.row.tutor_id, incoming.row.requester_id)],
            )
            for role in PROFILE_TABLES
        }
        outcomes = []
        for incoming in rows:
            row = incoming.row
            refusal = _request_refusal(row, known)
            if refusal is not None:
                outcomes.append(ImportOutcome(row.id, incoming.id, (refusal,)))
                continue
            (request_id,) = store_document_requests(session, [DocumentRow(incoming.id, _request_columns(row, pull))])
            outcomes.append(ImportOutcome(row.id, request_id))
        return outcomes

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:  # noqa: ARG002 - as in Kind
        remove_requests(session, [link.id for link in links if link.id is not None])


class DocumentEnrollments(Kind):
    """An older shape of bookings: each subject becomes a booking, as `astegni legacy import-enrollments` makes it."""

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

    def store(self, session: Session, rows: Sequence[Incoming], pull: Pull) -> Sequence[ImportOutcome]:
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
        """The bookings made of it stay."""


def _booking_columns(row: Any, pull: Pull) -> dict[str, Any]:
    same = ("subject", "grade_level", "sessions_per_week", "session_duration", "start_date", "end_date")
    return {
        **{name: getattr(row, name) for name in (*same, "price_per_session", "currency", "notes")},
        "session_type": session_format(row.session_type),
        # A word that is unknown says that something is not as usual.
        "status": booking_status(row.status) or "paused",
        **_created_at(row, pull),
    }


def _request_columns(row: Any, pull: Pull) -> dict[str, Any]:
    same = ("tutor_id", "requester_id", "requester_type", "package_name", "student_name", "student_grade", "message")
    return {
        **{name: getattr(row, name) for name in (*same, "contact_phone", "contact_email")},
        "status": row.status if row.status in _STATUSES else "pending",
        # A student asks for themselves; which child a parent asks for, the table does not say.
        "student_id": row.requester_id if row.requester_type == "student" else None,
        "responded_at": pull.written_at(row.responded_at),
        **_created_at(row, pull),
    }


def _enrollment_columns(row: Any, pull: Pull) -> dict[str, Any]:
    same = ("tutor_id", "student_id", "subjects", "start_date", "end_date", "session_frequency", "session_duration")
    numbers = ("total_sessions_planned", "sessions_completed", "hourly_rate", "total_paid", "is_active")
    status = booking_status(row.status)
    return {
        **{name: getattr(row, name) for name in (*same, *numbers)},
        "payment_status": row.payment_status if row.payment_status in _PAYMENTS else None,
        "status": status if status in ("active", "completed") else "paused",
        **_created_at(row, pull),
    }


def _created_at(row: Any, pull: Pull) -> dict[str, Any]:
    """NULL there leaves the default here."""
    created_at = pull.written_at(row.created_at)
    return {} if created_at is None else {"created_at": created_at}


def _request_refusal(row: Any, known: dict[str, frozenset[int]]) -> Refusal | None:
    if row.tutor_id not in known["tutor"]:
        return unknown_profile(row.tutor_id, "tutor")
    if row.requester_type not in ("student", "parent"):
        return Refusal("no-requester", f"requester type {row.requester_type!r} is none", "Correct it on the platform.")
    if row.requester_id not in known[row.requester_type]:
        return unknown_profile(row.requester_id, row.requester_type)
    return None


def _unread_subjects(session: Session, row: Any, enrollment_id: int) -> tuple[Refusal, ...]:
    """Make the missing bookings of the enrolment; what of it became none."""
    remedy = 'Write the subjects as a list of names like ["Mathematics", "Physics"].'
    if isinstance(row.subjects, str):
        return (Refusal("subjects-text", "subjects is a text, not a list", remedy, is_refused=False),)
    reasons = [line.reason for line in import_enrolled(session, [enrollment_id]) if line.outcome == "refused"]
    if not reasons:
        return ()
    return (Refusal("no-booking", "; ".join(filter(None, reasons)), remedy, is_refused=False),)


def _unknown_words(row: Any) -> tuple[Refusal, ...]:
    notes = []
    if booking_status(row.status) is None:
        notes.append(("unknown-status", f"status {row.status!r} is unknown and taken as paused"))
    if row.session_type and session_format(row.session_type) is None:
        notes.append(("unknown-format", f"format {row.session_type!r} has no meaning here and is left out"))
    remedy = "Set a word that the platform knows."
    return tuple(Refusal(code, reason, remedy, is_refused=False) for code, reason in notes)

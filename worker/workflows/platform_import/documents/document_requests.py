"""Requests of the platform of 2025: a tutor and a requester, by profile ids."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from models.people import PROFILE_TABLES
from worker.bookings.document_rows import DocumentRow, store_document_requests
from worker.bookings.platform_requests import remove_requests
from worker.platform.links import Link
from worker.platform.refusals import Refusal
from worker.workflows.platform_import.documents.document_people import stored_profiles, unknown_profile
from worker.workflows.platform_import.documents.document_source import created_column, document_source
from worker.workflows.platform_import.kind import ImportOutcome, IncomingRow, Kind, Pull

_STATUSES = frozenset({"pending", "accepted", "rejected"})


class DocumentRequests(Kind):
    """A tutor and a requester, by profile ids."""

    name = "document_request"
    source = document_source(
        "session_requests",
        ("tutor_id", "requester_id"),
        requester_type="varchar",
        **dict.fromkeys(("package_name", "status", "student_name", "student_grade", "message"), "text"),
        **dict.fromkeys(("contact_phone", "contact_email"), "varchar"),
        **dict.fromkeys(("created_at", "responded_at"), "timestamp"),
    )

    # Nothing there tells when a row was changed.
    reads_all = True

    def store(self, session: Session, rows: Sequence[IncomingRow], pull: Pull) -> Sequence[ImportOutcome]:
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


def _request_columns(row: Any, pull: Pull) -> dict[str, Any]:
    same = ("tutor_id", "requester_id", "requester_type", "package_name", "student_name", "student_grade", "message")
    return {
        **{name: getattr(row, name) for name in (*same, "contact_phone", "contact_email")},
        "status": row.status if row.status in _STATUSES else "pending",
        # Students ask for themselves; the table does not say which child a parent asks for.
        "student_id": row.requester_id if row.requester_type == "student" else None,
        "responded_at": pull.written_at(row.responded_at),
        **created_column(row, pull),
    }


def _request_refusal(row: Any, known: dict[str, frozenset[int]]) -> Refusal | None:
    if row.tutor_id not in known["tutor"]:
        return unknown_profile(row.tutor_id, "tutor")
    if row.requester_type not in ("student", "parent"):
        return Refusal("no-requester", f"requester type {row.requester_type!r} is none", "Correct it on the platform.")
    if row.requester_id not in known[row.requester_type]:
        return unknown_profile(row.requester_id, row.requester_type)
    return None

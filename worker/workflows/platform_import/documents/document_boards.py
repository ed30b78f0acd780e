"""Whiteboard sessions of 2025: one row for each, with a booking, and tutor and students by users.id.

Pages and recordings are the same in every state: they refer only to their session. Strokes refer to the user who drew
them, not to a profile.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from worker.platform.connection import Row
from worker.platform.links import Link, our_ids
from worker.platform.refusals import Refusal
from worker.whiteboards.document_boards import name_bookings, people_of_boards
from worker.whiteboards.platform_boards import PlatformBoard, store_boards
from worker.whiteboards.sessions import Participant
from worker.workflows.platform_import.boards.sessions import BOARD
from worker.workflows.platform_import.boards.strokes import Strokes
from worker.workflows.platform_import.documents.document_bookings import DOCUMENT_BOOKING
from worker.workflows.platform_import.documents.document_people import profiles_of_users, without_profile
from worker.workflows.platform_import.documents.document_source import document_source
from worker.workflows.platform_import.kind import ImportOutcome, IncomingRow, Kind, Pull
from worker.workflows.platform_import.words import board_status

_PERMISSIONS = ("can_draw", "can_erase", "can_write")
_TIMES = ("scheduled_start", "scheduled_end", "actual_start", "actual_end", "created_at")


class DocumentBoards(Kind):
    """Sessions under the kind of boards: the table and its ids are the same in later states."""

    name = BOARD
    # Version 2 corrects the times of stored rows.
    version = 2
    source = document_source(
        "whiteboard_sessions",
        ("tutor_id", "booking_id"),
        student_id="integer[]",
        **dict.fromkeys(("session_title", "session_description", "session_notes", "status"), "text"),
        student_permissions="jsonb",
        **dict.fromkeys(_TIMES, "timestamp"),
    )

    # Nothing there tells when a row was changed.
    reads_all = True

    def store(self, session: Session, rows: Sequence[IncomingRow], pull: Pull) -> Sequence[ImportOutcome]:
        tutors = profiles_of_users(session, "tutor", [incoming.row.tutor_id for incoming in rows])
        users = {user_id for incoming in rows for user_id in incoming.row.student_id or ()}
        students = profiles_of_users(session, "student", users)
        bookings = our_ids(session, DOCUMENT_BOOKING, {incoming.row.booking_id for incoming in rows})
        led = [incoming for incoming in rows if incoming.row.tutor_id in tutors]
        boards = [_board(incoming, tutors[incoming.row.tutor_id], students, pull) for incoming in led]
        ids = dict(zip((incoming.row.id for incoming in led), store_boards(session, boards), strict=True))
        name_bookings(
            session,
            {
                ids[incoming.row.id]: (bookings.get(incoming.row.booking_id), incoming.row.session_notes)
                for incoming in led
            },
        )
        return [
            ImportOutcome(row.id, ids[row.id], tuple(_left_out(row, students)))
            if row.id in ids
            else ImportOutcome(row.id, None, (without_profile(row.tutor_id, "tutor"),))
            for row in (incoming.row for incoming in rows)
        ]

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:
        """Nothing to remove: what was drawn in a lesson outlives the platform's row."""


def _board(incoming: IncomingRow, tutor_id: int, students: Mapping[int, int], pull: Pull) -> PlatformBoard:
    row = incoming.row
    granted = row.student_permissions if isinstance(row.student_permissions, Mapping) else {}
    taking_part = [students[user_id] for user_id in dict.fromkeys(row.student_id or ()) if user_id in students]
    return PlatformBoard(
        incoming.id,
        host=Participant(tutor_id, "tutor"),
        opener=None,
        participants=[Participant(student_id, "student") for student_id in taking_part],
        title=row.session_title,
        description=row.session_description,
        status=board_status(row.status) or "in_progress",
        permissions={name: granted.get(name) is True for name in _PERMISSIONS},
        **{name: pull.written_at(getattr(row, name)) for name in _TIMES},
    )


def _left_out(row: Row, students: Mapping[int, int]) -> list[Refusal]:
    """Students without a profile do not take part; the board is imported nevertheless."""
    missing = [user_id for user_id in dict.fromkeys(row.student_id or ()) if user_id not in students]
    return [without_profile(user_id, "student", is_refused=False) for user_id in missing[:1]]


class DocumentStrokes(Strokes):
    """Strokes of users: the author of each is the tutor who leads the board, or one of its students."""

    def store(self, session: Session, rows: Sequence[IncomingRow], pull: Pull) -> Sequence[ImportOutcome]:
        users = {incoming.row.user_id for incoming in rows}
        roles = {role: profiles_of_users(session, role, users) for role in ("tutor", "student")}
        boards = our_ids(session, BOARD, {incoming.row.session_id for incoming in rows})
        people = people_of_boards(session, boards.values())
        drawn = []
        for incoming in rows:
            row = incoming.row
            profiles = {
                (role, profile_of[row.user_id]) for role, profile_of in roles.items() if row.user_id in profile_of
            }
            there = sorted(profiles & people.get(boards.get(row.session_id, 0), frozenset()), reverse=True)
            kind, profile_id = there[0] if there else (None, None)
            drawn.append(IncomingRow(row._replace(profile_type=kind, profile_id=profile_id), incoming.id))
        return super().store(session, drawn, pull)

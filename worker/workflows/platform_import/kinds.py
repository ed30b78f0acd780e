"""The kinds of imported rows, ordered so that each finds the rows that it refers to."""

from worker.workflows.platform_import.boards.pages import Pages
from worker.workflows.platform_import.boards.recordings import Recordings
from worker.workflows.platform_import.boards.sessions import Boards
from worker.workflows.platform_import.boards.strokes import Strokes
from worker.workflows.platform_import.bookings.enrolments import Enrolments
from worker.workflows.platform_import.bookings.groups import Groups
from worker.workflows.platform_import.bookings.requests import Requests
from worker.workflows.platform_import.documents.document_boards import DocumentBoards, DocumentStrokes
from worker.workflows.platform_import.documents.document_bookings import DocumentBookings
from worker.workflows.platform_import.documents.document_calendar import DocumentCalendar
from worker.workflows.platform_import.documents.document_enrollments import DocumentEnrollments
from worker.workflows.platform_import.documents.document_requests import DocumentRequests
from worker.workflows.platform_import.kind import Kind
from worker.workflows.platform_import.lessons.entries import Entries
from worker.workflows.platform_import.lessons.lessons import Lessons
from worker.workflows.platform_import.people import MissingParents, People, ProfilesWithoutAccount


def all_kinds() -> list[Kind]:
    """Every kind of the states from December 2025 on, in order."""
    return [
        People(),
        *(ProfilesWithoutAccount(role) for role in ("tutor", "student", "parent")),
        MissingParents(),
        Enrolments(),
        Groups(),
        Requests(),
        Lessons(),
        Boards(),
        Pages(),
        Entries(),
        Strokes(),
        Recordings(),
    ]


def document_kinds() -> list[Kind]:
    """The kinds for the state of 2025, whose tables a document describes, in order. Used only by the command."""
    return [
        People(),
        *(ProfilesWithoutAccount(role) for role in ("tutor", "student", "parent")),
        MissingParents(),
        DocumentBookings(),
        DocumentRequests(),
        DocumentEnrollments(),
        DocumentCalendar(),
        DocumentBoards(),
        Pages(),
        DocumentStrokes(),
        Recordings(),
    ]

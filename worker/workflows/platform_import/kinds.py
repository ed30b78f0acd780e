"""The kinds of rows that are imported, in an order in which each finds the rows that it refers to."""

from worker.workflows.platform_import.boards import Boards
from worker.workflows.platform_import.document_boards import DocumentBoards, DocumentStrokes
from worker.workflows.platform_import.document_bookings import DocumentBookings
from worker.workflows.platform_import.document_calendar import DocumentCalendar
from worker.workflows.platform_import.document_enrollments import DocumentEnrollments
from worker.workflows.platform_import.document_requests import DocumentRequests
from worker.workflows.platform_import.enrolments import Enrolments
from worker.workflows.platform_import.entries import Entries
from worker.workflows.platform_import.groups import Groups
from worker.workflows.platform_import.kind import Kind
from worker.workflows.platform_import.lessons import Lessons
from worker.workflows.platform_import.pages import Pages
from worker.workflows.platform_import.people import NobodysParents, People, UnownedProfiles
from worker.workflows.platform_import.recordings import Recordings
from worker.workflows.platform_import.requests import Requests
from worker.workflows.platform_import.strokes import Strokes


def all_kinds() -> list[Kind]:
    """Every kind of the states from December 2025 on, in order."""
    return [
        People(),
        *(UnownedProfiles(role) for role in ("tutor", "student", "parent")),
        NobodysParents(),
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
    """The kinds of the state of 2025, whose tables a document describes, in order. Taken by the command only."""
    return [
        People(),
        *(UnownedProfiles(role) for role in ("tutor", "student", "parent")),
        NobodysParents(),
        DocumentBookings(),
        DocumentRequests(),
        DocumentEnrollments(),
        DocumentCalendar(),
        DocumentBoards(),
        Pages(),
        DocumentStrokes(),
        Recordings(),
    ]

"""Determine which state the platform's database is in: it has no version number, so tables and columns decide."""

from enum import StrEnum

from worker.platform.catalog import Catalog, Column


class PlatformState(StrEnum):
    """The states that differ in the meaning of their rows, oldest first."""

    DOCUMENT_2025 = "2025, as the document of tables describes it"
    DECEMBER_2025 = "December 2025: requests instead of bookings, boards by user"
    FEBRUARY_2026 = "February 2026: boards by profile, requests by user"
    JUNE_2026 = "June 2026: requests with a number of students"
    UNKNOWN = "unknown: it does not look like the platform's database"


_REQUESTS_OF_2026 = (
    Column("users", "naming_system", "varchar"),
    Column("requested_sessions", "num_students", "integer"),
)


def platform_state(catalog: Catalog) -> PlatformState:
    """The newest state whose marks exist. Scripts are run by hand, so one mark of the newest may be missing."""
    if "requested_sessions" in catalog.tables:
        if not catalog.has(Column("whiteboard_sessions", "host_profile_id", "integer")):
            return PlatformState.DECEMBER_2025
        is_newest = any(catalog.has(column) for column in _REQUESTS_OF_2026)
        return PlatformState.JUNE_2026 if is_newest else PlatformState.FEBRUARY_2026
    if {"tutor_student_bookings", "session_requests"} <= catalog.tables:
        return PlatformState.DOCUMENT_2025
    return PlatformState.UNKNOWN

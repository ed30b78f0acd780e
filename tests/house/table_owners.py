"""Which package owns each table and view. Only the owner's modules name its tables; others read its views."""

from typing import NamedTuple

# Package below `worker` -> its tables.
OWNED_TABLES = {
    "access": ("users", "tutor_profiles", "student_profiles", "parent_profiles", "operator_accesses"),
    "bookings": ("session_requests", "tutor_student_bookings", "tutor_student_enrollments"),
    "canvases": ("whiteboard_snapshots",),
    "jobs": ("jobs", "job_attempts", "job_actions", "idempotency_keys", "heartbeats"),
    "limits": ("limit_counters", "limit_leases"),
    "platform": ("platform_links", "platform_refusals", "platform_pulls"),
    "recordings": (
        "whiteboard_session_recordings",
        "recording_renditions",
        "recording_chapters",
        "recording_captions",
        "recording_board_texts",
        "recording_shares",
    ),
    "reminders": (
        "notification_preferences",
        "lesson_alarms",
        "notification_channels",
        "deliveries",
        "provider_troubles",
        "notifications",
    ),
    "schedules": (
        "schedule_series",
        "series_participants",
        "tutor_schedules",
        "schedule_participants",
        "schedule_skips",
        "calendar_feeds",
        "timetable_entries",
    ),
    "storage": ("installation",),
    "uploads": ("uploads",),
    "whiteboards": ("whiteboard_sessions", "whiteboard_pages", "whiteboard_canvas_data", "whiteboard_events"),
}

# Views that the owner keeps for everybody else (migration 0022 and later, docs/architecture.md).
OWNED_VIEWS = {
    "jobs": ("queue_backlog", "unsuccessful_jobs"),
    "recordings": ("available_recordings",),
    "reminders": ("delivery_backlog",),
    "schedules": ("lessons", "lesson_series", "lesson_seats", "person_lessons", "booking_lessons", "timetable"),
    "whiteboards": ("boards", "board_pages", "page_strokes", "page_activations", "lesson_visitors"),
}

# Everybody reads people: names, languages and who is whose parent. Their columns are the platform's and stay.
PUBLIC_TABLES = {"users", "tutor_profiles", "student_profiles", "parent_profiles"}


class Crossing(NamedTuple):
    """Tables that modules of other packages may name, and why."""

    modules: tuple[str, ...]
    tables: tuple[str, ...]
    reason: str


ALLOWED = (
    Crossing(
        ("access/visibility", "access/session_access", "access/sharing", "access/session_people"),
        (
            "tutor_student_bookings",
            "whiteboard_sessions",
            "whiteboard_session_recordings",
            "tutor_schedules",
            "schedule_participants",
        ),
        "who may see what and whom: predicates that the owners put into statements of their own",
    ),
    Crossing(
        ("schedules/requests", "schedules/series/", "schedules/reserve_slot", "schedules/standalone_lessons"),
        ("tutor_student_bookings",),
        "a lesson is made for a booking, which is locked and read as a mapped row: mypy finds a renamed column",
    ),
    Crossing(
        ("bookings/students",),
        ("tutor_schedules", "schedule_participants"),
        "My Students returns each student's next lesson as a mapped row: mypy finds a renamed column",
    ),
    Crossing(
        ("workflows/import_enrollments",),
        ("tutor_student_enrollments", "tutor_student_bookings"),
        "the import of a table that the platform leaves behind, until it has moved",
    ),
    Crossing(("cli/sample",), ("users",), "writes the people of a demonstration"),
)

"""Which rows are about a person, and what happens to them when the person is erased.

Every table with a column that names a person is listed here or in NOT_PERSONAL; a test compares the lists with the
tables.
Conditions are SQL over the columns of one table, with `:of_user`, `:of_principal` (`user:1`) and the ids of the
person's profiles as arrays, `:of_tutors`, `:of_students`, `:of_parents`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class PersonalTable:
    """Rows of one table: the condition that selects a person's, and what erasing does with them.

    Without a `blank`, the rows are deleted. Otherwise they are kept, since somebody else's lessons or the history need
    them, and the columns of `blank` are set to its values; it is empty when the row has nothing personal but an id.
    `secret` columns are not exported.
    """

    table: str
    condition: str
    blank: Mapping[str, Any] | None = None
    secret: tuple[str, ...] = ()
    why_kept: str = field(default="", compare=False)


def _any(column: str, ids: str) -> str:
    return f"{column} = ANY(CAST(:of_{ids} AS integer[]))"


_OF_REQUEST = (
    f"requester_type = 'student' AND {_any('requester_id', 'students')}"
    f" OR requester_type = 'parent' AND {_any('requester_id', 'parents')} OR {_any('student_id', 'students')}"
)
_OF_PROFILE = " OR ".join(
    f"{{type}} = '{role}' AND {_any('{id}', f'{role}s')}" for role in ("tutor", "student", "parent")
)
_LESSON_TEXTS = {"notes": None, "meeting_link": None, "location": None}
_OTHER_SIDE = "the other side's lessons name it"


def _profile(prefix: str) -> str:
    return _OF_PROFILE.format(id=f"{prefix}profile_id", type=f"{prefix}profile_type")


# Without a recorder (imported, adopted, or by an operator) a recording belongs to the session's host.
_HOSTED = f"SELECT id FROM whiteboard_sessions WHERE {_profile('host_')}"  # noqa: S608 - constants of this module
_RECORDED = f"recorded_by = :of_user OR recorded_by IS NULL AND session_id IN ({_HOSTED})"
_OF_RECORDING = f"recording_id IN (SELECT id FROM whiteboard_session_recordings WHERE {_RECORDED})"  # noqa: S608 - as above

# In the order of erasure: the account and its profiles come last, because the other rows are found by them.
PERSONAL_TABLES = (
    PersonalTable("notification_channels", "user_id = :of_user", secret=("address", "code_hash")),
    PersonalTable("notification_preferences", "user_id = :of_user"),
    PersonalTable("lesson_alarms", "user_id = :of_user"),
    PersonalTable("deliveries", "user_id = :of_user", secret=("send_token",)),
    PersonalTable("notifications", "user_id = :of_user"),
    PersonalTable("calendar_feeds", "user_id = :of_user", secret=("secret_hash",)),
    PersonalTable("timetable_entries", "user_id = :of_user"),
    PersonalTable("recording_shares", "created_by = :of_user", secret=("secret_hash",)),
    # A file without a row is swept from the spool.
    PersonalTable("uploads", "principal = :of_principal OR recorded_by = :of_user"),
    PersonalTable("idempotency_keys", "principal = :of_principal"),
    PersonalTable("limit_counters", "who = :of_principal"),
    PersonalTable("limit_leases", "who = :of_principal"),
    PersonalTable(
        "jobs", "principal = :of_principal", {"principal": "erased"}, why_kept="the history of what happened"
    ),
    PersonalTable("job_actions", "actor = :of_principal", {"actor": "erased"}, why_kept="the history of what happened"),
    PersonalTable(
        "whiteboard_session_recordings",
        _RECORDED,
        {},
        why_kept="deleted one by one before, with their objects",
    ),
    # Texts that exist in no object: what the tutor wrote, the captions, and what was typed on the board.
    *(
        PersonalTable(table, _OF_RECORDING, {}, why_kept="deleted with their recordings")
        for table in ("recording_chapters", "recording_captions", "recording_board_texts")
    ),
    PersonalTable(
        "whiteboard_canvas_data",
        f"user_id = :of_user OR {_profile('')}",
        {"user_id": None, "profile_id": None, "profile_type": None},
        why_kept="the board is the others', too",
    ),
    PersonalTable(
        "whiteboard_sessions",
        f"{_profile('host_')} OR {_profile('opener_')}"
        " OR participant_profile_ids && (CAST(:of_tutors AS integer[]) || CAST(:of_students AS integer[])"
        " || CAST(:of_parents AS integer[]))",
        {},
        why_kept="the board is the others', too",
    ),
    PersonalTable("whiteboard_events", _profile(""), {}, why_kept="who was there decides the others' attendance"),
    PersonalTable(
        "session_requests",
        f"({_OF_REQUEST} OR {_any('tutor_id', 'tutors')}) AND status = 'pending'",
        {"status": "rejected"},
        why_kept=_OTHER_SIDE,
    ),
    PersonalTable(
        "session_requests",
        _OF_REQUEST,
        dict.fromkeys(("student_name", "student_grade", "message", "contact_phone", "contact_email")),
        why_kept=_OTHER_SIDE,
    ),
    # What a student wrote to this tutor belongs to the student.
    PersonalTable("session_requests", _any("tutor_id", "tutors"), {}, why_kept=_OTHER_SIDE),
    PersonalTable(
        "tutor_student_bookings",
        f"{_any('tutor_id', 'tutors')} OR {_any('student_id', 'students')} OR {_any('agreed_student_id', 'students')}",
        {"notes": None},
        why_kept=_OTHER_SIDE,
    ),
    PersonalTable(
        "tutor_student_enrollments",
        f"{_any('tutor_id', 'tutors')} OR {_any('student_id', 'students')}",
        {},
        why_kept=_OTHER_SIDE,
    ),
    PersonalTable(
        "schedule_series",
        f"{_any('tutor_id', 'tutors')} AND NOT has_students",
        {"status": "cancelled"},
        why_kept="slots that were booked name it",
    ),
    PersonalTable("schedule_series", _any("tutor_id", "tutors"), _LESSON_TEXTS, why_kept=_OTHER_SIDE),
    PersonalTable(
        "tutor_schedules",
        f"{_any('tutor_id', 'tutors')} AND student_id IS NULL AND status = 'scheduled'",
        {"status": "cancelled"},
        why_kept="a board may name the slot",
    ),
    PersonalTable("tutor_schedules", _any("tutor_id", "tutors"), _LESSON_TEXTS, why_kept=_OTHER_SIDE),
    PersonalTable(
        "tutor_schedules",
        _any("student_id", "students"),
        {"student_name": None, "location": None},
        why_kept=_OTHER_SIDE,
    ),
    PersonalTable("schedule_participants", _any("student_id", "students"), {}, why_kept=_OTHER_SIDE),
    PersonalTable("series_participants", _any("student_id", "students"), {}, why_kept=_OTHER_SIDE),
    PersonalTable("schedule_skips", _any("student_id", "students"), {}, why_kept=_OTHER_SIDE),
    PersonalTable("tutor_profiles", "user_id = :of_user", {"username": None, "is_active": False}, why_kept=_OTHER_SIDE),
    PersonalTable(
        "student_profiles",
        "user_id = :of_user",
        {"username": None, "grade_level": None, "parent_id": [], "is_active": False},
        why_kept=_OTHER_SIDE,
    ),
    PersonalTable(
        "parent_profiles", "user_id = :of_user", {"username": None, "is_active": False}, why_kept=_OTHER_SIDE
    ),
    PersonalTable(
        "users",
        "id = :of_user",
        {
            **dict.fromkeys(("first_name", "father_name", "grandfather_name", "last_name", "email", "phone")),
            "language": "en",
            "timezone": None,
            "is_active": False,
        },
        why_kept="lessons of others name it by its id",
    ),
)

# Tables with such a column whose rows are about no person of the platform.
NOT_PERSONAL = {
    "operator_accesses": "`admin_id` is an operator, who is kept in another database; rows are deleted with time",
}

"""Where the platform stores people: the columns that are read, and how a row becomes a record."""

from dataclasses import replace
from datetime import UTC

from worker.access.people_records import PersonRecord, ProfileRecord
from worker.platform.catalog import Column
from worker.platform.connection import Row
from worker.platform.source import Join, Source

_NAMES = ("first_name", "father_name", "grandfather_name", "last_name", "email", "phone")
ACCOUNT = (
    Column("users", "id", "integer", required=True),
    *(Column("users", name, "varchar") for name in _NAMES),
    # Three columns decide whether somebody may log in. In each of them NULL means that they may.
    Column("users", "is_active", "boolean"),
    Column("users", "account_status", "varchar"),
    Column("users", "is_suspended", "boolean"),
    # Written by model classes, therefore in UTC.
    Column("users", "created_at", "timestamp"),
)
_PROFILE = (
    ("id", "integer", True),
    ("user_id", "integer", True),
    ("username", "varchar", False),
    ("is_active", "boolean", False),
)
TUTOR = tuple(Column("tutor_profiles", *column) for column in _PROFILE)
STUDENT = (
    *(Column("student_profiles", *column) for column in _PROFILE),
    Column("student_profiles", "grade_level", "varchar"),
    Column("student_profiles", "parent_id", "integer[]"),
)
PARENT = tuple(Column("parent_profiles", *column) for column in _PROFILE)
ROLES = {"tutor": TUTOR, "student": STUDENT, "parent": PARENT}
PEOPLE = (*ACCOUNT, *TUTOR, *STUDENT, *PARENT)
# An account as one row, for `person_of`. A change of a profile alone leaves no trace there: the sweep finds it.
PEOPLE_SOURCE = Source(
    table="users",
    columns={column.name: column for column in ACCOUNT}
    | {
        f"{role}_{column.name}": replace(column, required=False)
        for role, profile in ROLES.items()
        for column in profile
    },
    changed=(Column("users", "updated_at", "timestamp"), Column("users", "created_at", "timestamp")),
    joins=tuple(Join(f"{role}_profiles", f"{role}_profiles.user_id = users.id") for role in ROLES),
)


def person_of(row: Row) -> PersonRecord:
    """The person from a row in which the columns of a profile are prefixed with its role."""
    profiles = {role: profile for role in ROLES if (profile := _profile(row, role)) is not None}
    is_active = row.is_active is not False and not row.is_suspended and (row.account_status or "active") == "active"
    names = {name: getattr(row, name) for name in _NAMES}
    created_at = None if row.created_at is None else row.created_at.replace(tzinfo=UTC)
    return PersonRecord(id=row.id, **names, is_active=is_active, created_at=created_at, profiles=profiles)


def _profile(row: Row, role: str) -> ProfileRecord | None:
    profile_id = getattr(row, f"{role}_id")
    if profile_id is None:
        return None
    username, is_active = getattr(row, f"{role}_username"), getattr(row, f"{role}_is_active") is not False
    if role != "student":
        return ProfileRecord(profile_id, username, is_active)
    return ProfileRecord(profile_id, username, is_active, row.student_grade_level, tuple(row.student_parent_id or ()))

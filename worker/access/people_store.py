"""Store what the platform says about people. They are deactivated, never deleted: other rows reference them."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from models.people import PROFILE_TABLES, ProfileTable
from models.people import User as Person
from worker.access.people_records import ACCOUNT_FIELDS, PersonRecord, ProfileRecord
from worker.array_text import number_array

# Rows as JSON: a thousand of them are one parameter, and their statement is always the same.
_STORE_ACCOUNTS = text(
    """
    INSERT INTO users (id, first_name, father_name, grandfather_name, last_name, email, phone, is_active, created_at,
                       platform_read_at)
    SELECT id, first_name, father_name, grandfather_name, last_name, email, phone, is_active,
           coalesce(created_at, now()), :read_at
      FROM json_to_recordset(CAST(:rows AS json))
           AS row (id integer, first_name text, father_name text, grandfather_name text, last_name text, email text,
                   phone text, is_active boolean, created_at timestamptz)
     ORDER BY id
        ON CONFLICT (id) DO UPDATE
       SET first_name = excluded.first_name, father_name = excluded.father_name,
           grandfather_name = excluded.grandfather_name, last_name = excluded.last_name, email = excluded.email,
           phone = excluded.phone, is_active = excluded.is_active, platform_read_at = excluded.platform_read_at
    RETURNING id, xmax = 0 AS is_new
    """
)
_STORE_PROFILES = {
    table: text(
        f"""
        INSERT INTO {table} (id, user_id, username, is_active)
        SELECT id, user_id, username, is_active
          FROM json_to_recordset(CAST(:rows AS json)) AS row (id integer, user_id integer, username text,
                                                              is_active boolean)
         ORDER BY id
            ON CONFLICT (id) DO UPDATE
           SET user_id = excluded.user_id, username = excluded.username, is_active = excluded.is_active
        """  # noqa: S608 - names of this module
    )
    for table in ("tutor_profiles", "parent_profiles")
} | {
    "student_profiles": text(
        """
        INSERT INTO student_profiles (id, user_id, username, is_active, grade_level, parent_id)
        SELECT id, user_id, username, is_active, grade_level, parent_id
          FROM json_to_recordset(CAST(:rows AS json))
               AS row (id integer, user_id integer, username text, is_active boolean, grade_level text,
                       parent_id integer[])
         ORDER BY id
            ON CONFLICT (id) DO UPDATE
           SET user_id = excluded.user_id, username = excluded.username, is_active = excluded.is_active,
               grade_level = excluded.grade_level, parent_id = excluded.parent_id
        """
    )
}
# Ids as one array: binding a thousand parameters would take longer than the statement.
_DEACTIVATE = {
    table: text(
        f"""
        UPDATE {table} SET is_active = false
         WHERE user_id = ANY(CAST(:users AS integer[])) AND is_active AND id <> ALL(CAST(:present AS integer[]))
        """  # noqa: S608 - names of this module
    )
    for table in ("tutor_profiles", "student_profiles", "parent_profiles")
}


def store_people(session: Session, people: Collection[PersonRecord], *, read_at: datetime) -> None:
    """Insert or update accounts and profiles. Idempotent; locks rows in the order of ids, accounts first.

    Deactivates profiles that the platform no longer lists for an account.
    """
    if not people:
        return
    accounts = [_account(person) for person in people]
    stored = session.execute(_STORE_ACCOUNTS, {"rows": to_json(accounts).decode(), "read_at": read_at})
    known = {row.id for row in stored if not row.is_new}
    for role, table in PROFILE_TABLES.items():
        records = [(person.id, person.profiles.get(role)) for person in people]
        _deactivate_others(session, table, [record for record in records if record[0] in known])
        rows = [vars(record) | {"user_id": user_id} for user_id, record in records if record is not None]
        if rows:
            session.execute(_STORE_PROFILES[table.__tablename__], {"rows": to_json(rows).decode()})


def deactivate_people(session: Session, user_ids: Iterable[int], *, read_at: datetime) -> None:
    """Deactivate accounts that the platform no longer has; unknown ids change nothing. Idempotent."""
    session.execute(
        update(Person).where(Person.id.in_(sorted(user_ids))).values(is_active=False, platform_read_at=read_at)
    )


def deactivate_account(session: Session, user_id: int) -> None:
    """Refuse this person's tokens from now on. Idempotent."""
    session.execute(update(Person).where(Person.id == user_id).values(is_active=False))


def _account(person: PersonRecord) -> dict[str, Any]:
    created_at = None if person.created_at is None else person.created_at.isoformat()
    return {name: getattr(person, name) for name in ACCOUNT_FIELDS} | {"created_at": created_at}


def _deactivate_others(session: Session, table: ProfileTable, records: list[tuple[int, ProfileRecord | None]]) -> None:
    if records:
        users = number_array([user_id for user_id, _ in records])
        present = number_array([record.id for _, record in records if record is not None])
        session.execute(_DEACTIVATE[table.__tablename__], {"users": users, "present": present})

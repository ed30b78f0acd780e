"""People as they were last read from the platform, and when that was."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from models.people import PROFILE_TABLES, ParentProfile, StudentProfile, TutorProfile
from models.people import User as Person
from worker.access.people_records import ACCOUNT_FIELDS, PersonRecord, ProfileRecord


def stored_people(session: Session, *, after: int, most: int) -> dict[int, PersonRecord]:
    """At most `most` people that were read from the platform, with ids above `after`, in the order of ids."""
    statement = _stored_statement().where(Person.id > after).order_by(Person.id).limit(most)
    return {row[0].id: _record(*row) for row in session.execute(statement)}


def people_by_id(session: Session, user_ids: Collection[int]) -> dict[int, PersonRecord]:
    """These people by id, except those that were not read from the platform."""
    rows = session.execute(_stored_statement().where(Person.id.in_(sorted(user_ids))))
    return {row[0].id: _record(*row) for row in rows}


def read_times(session: Session, user_ids: Collection[int]) -> dict[int, datetime]:
    """When these people were last read from the platform; those who were not are left out."""
    read_at = Person.platform_read_at
    rows = session.execute(select(Person.id, read_at).where(Person.id.in_(sorted(user_ids)), read_at.is_not(None)))
    return {user_id: at for user_id, at in rows if at is not None}


def touch_people(session: Session, user_ids: Collection[int], *, read_at: datetime) -> None:
    """Record that these people were read at `read_at`; locks their rows in the order of ids."""
    people = select(Person.id).where(Person.id.in_(sorted(user_ids)), Person.platform_read_at.is_not(None))
    locked = people.order_by(Person.id).with_for_update(key_share=True)
    latest = func.greatest(Person.platform_read_at, read_at)
    session.execute(update(Person).where(Person.id.in_(locked)).values(platform_read_at=latest))


def _stored_statement() -> Select[Person, TutorProfile, StudentProfile, ParentProfile]:
    statement = select(Person, TutorProfile, StudentProfile, ParentProfile)
    for table in PROFILE_TABLES.values():
        statement = statement.outerjoin(table, (table.user_id == Person.id) & table.is_active)
    return statement.where(Person.platform_read_at.is_not(None))


def _record(
    person: Person, tutor: TutorProfile | None, student: StudentProfile | None, parent: ParentProfile | None
) -> PersonRecord:
    profiles: dict[str, ProfileRecord] = {}
    if tutor is not None:
        profiles["tutor"] = ProfileRecord(tutor.id, tutor.username)
    if student is not None:
        parents = tuple(student.parent_id)
        profiles["student"] = ProfileRecord(student.id, student.username, True, student.grade_level, parents)
    if parent is not None:
        profiles["parent"] = ProfileRecord(parent.id, parent.username)
    return PersonRecord(**{name: getattr(person, name) for name in ACCOUNT_FIELDS}, profiles=profiles)

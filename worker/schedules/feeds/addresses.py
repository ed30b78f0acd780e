"""The secret address of a person's calendar: created, looked up, revoked. Only a hash of the secret is stored."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.people import ParentProfile, StudentProfile, TutorProfile
from models.people import User as Person
from models.schedules import CalendarFeed
from worker.access.names import name_of
from worker.errors import NotFound

_SECRET_BYTES = 32


@dataclass(frozen=True)
class FeedOwner:
    """The owner of a calendar: the account, and its active profiles."""

    user_id: int
    name: str | None
    timezone: str | None
    tutor_id: int | None
    student_id: int | None
    parent_id: int | None
    feed_created_at: datetime


def open_feed(session: Session, user_id: int) -> str:
    """A new secret of 256 bits, which cannot be read again; the previous one is invalid from now on."""
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    statement = insert(CalendarFeed).values(user_id=user_id, secret_hash=_hash(secret))
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[CalendarFeed.user_id],
            set_={"secret_hash": statement.excluded.secret_hash, "created_at": func.now()},
        )
    )
    return secret


def feed_created_at(session: Session, user_id: int) -> datetime | None:
    """When the person's address was created; None: there is none."""
    return session.scalar(select(CalendarFeed.created_at).where(CalendarFeed.user_id == user_id))


def revoke_feed(session: Session, user_id: int) -> None:
    """Invalidate the person's address."""
    session.execute(delete(CalendarFeed).where(CalendarFeed.user_id == user_id))


def find_owner(session: Session, secret: str) -> FeedOwner:
    """The owner of the feed with this secret.

    Raises NotFound, with the same text after the same single query, for every cause. The lookup is by hash, so its
    duration reveals nothing about the secret.
    """
    profiles = (TutorProfile, StudentProfile, ParentProfile)
    statement = (
        select(
            Person.id,
            name_of(),
            Person.timezone,
            *(profile.id for profile in profiles),
            CalendarFeed.created_at,
        )
        .select_from(CalendarFeed)
        .join(Person, and_(Person.id == CalendarFeed.user_id, Person.is_active))
        .where(CalendarFeed.secret_hash == _hash(secret))
    )
    for profile in profiles:
        statement = statement.outerjoin(profile, and_(profile.user_id == Person.id, profile.is_active))
    row = session.execute(statement).one_or_none()
    if row is None:
        raise NotFound("There is no calendar at this address.")
    return FeedOwner(*row)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()

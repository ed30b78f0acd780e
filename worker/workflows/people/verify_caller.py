"""Verify a token's claims; with PLATFORM_DATABASE_URL, people who are unknown or read too long ago are read there."""

from datetime import datetime, timedelta

from worker.access.callers import UserCaller
from worker.access.people import Claims, claimed, read_claims
from worker.access.people_store import deactivate_people, store_people
from worker.database import Database
from worker.errors import Unauthorized, Unavailable
from worker.platform.people import PlatformPeople

# People who leave the platform, or are suspended there, lose access here after at most this time. Ages are compared
# without their sign: a record of the future was read before the clock was set back, and is not fresh either.
FRESH = timedelta(seconds=60)
# How long known people keep access while the platform does not answer.
KEPT = timedelta(days=1)
# Nobody waits long for a slow platform: known people are let in with their last record.
_KNOWN_SECONDS = 1.0
_UNKNOWN_SECONDS = 3.0


def verify_caller(
    database: Database, platform: PlatformPeople | None, user: UserCaller, *, now: datetime
) -> UserCaller:
    """The caller, with those of the claimed profiles that are active.

    One query here for known people, one more on the platform for others. Raises Unauthorized, and Unavailable for
    unknown people while the platform does not answer.
    """
    with database.statement() as statement:
        known = read_claims(statement, user)
    if platform is not None and not is_fresh(platform, known, now):
        known = _read_again(database, platform, known, now)
    return known.accepted(unknown_are_absent=platform is not None)


def is_fresh(platform: PlatformPeople | None, known: Claims, now: datetime) -> bool:
    """Whether the claims can be accepted or rejected without asking the platform again."""
    if platform is None:
        return True
    read_at = known.platform_read_at
    return read_at is not None and abs(now - read_at) <= FRESH and not known.unknown_profiles


def _read_again(database: Database, platform: PlatformPeople, known: Claims, now: datetime) -> Claims:
    user, read_at = known.user, known.platform_read_at
    is_kept = read_at is not None and abs(now - read_at) <= KEPT
    try:
        seconds = _KNOWN_SECONDS if is_kept else _UNKNOWN_SECONDS
        person, foreign = platform.read_claims(user.user_id, claimed(user), seconds=seconds)
    except Unavailable:
        if is_kept:
            return known
        raise
    if foreign:
        raise Unauthorized("The token claims a profile that is not its owner's.")
    with database.transaction() as session:
        if person is None:
            deactivate_people(session, [user.user_id], read_at=now)
        else:
            store_people(session, [person], read_at=now)
        return read_claims(session, user)

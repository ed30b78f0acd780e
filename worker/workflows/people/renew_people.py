"""Reread people from the platform while they have streams open, which end when they may no longer log in."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from worker.access.people_records import PersonRecord
from worker.access.people_store import deactivate_people, store_people
from worker.access.stored_people import people_by_id, read_times, touch_people
from worker.database import Database
from worker.errors import Unavailable
from worker.platform.people import PlatformPeople
from worker.workflows.people.verify_caller import FRESH, KEPT

# How often to call `renew_people`. People are reread this long before their record is too old, so that there is no gap.
RENEWAL = timedelta(seconds=10)
# All streams wait for it, so a slow platform counts as unavailable.
_SECONDS = 1.0


def renew_people(
    database: Database, platform: PlatformPeople | None, user_ids: Collection[int], *, now: datetime
) -> frozenset[int]:
    """Update those of these people whose record is too old, with one query to the platform for all of them.

    Returns those whose access has ended because the platform has not answered for a day. Somebody deactivated there is
    deactivated here, which `still_valid` sees. Idempotent.
    """
    if platform is None:
        return frozenset()
    with database.transaction() as session:
        times = read_times(session, user_ids)
    old = [user_id for user_id, read_at in times.items() if abs(now + RENEWAL - read_at) > FRESH]
    if not old:
        return frozenset()
    try:
        current = platform.read(old, seconds=_SECONDS)
    except Unavailable:
        return frozenset(user_id for user_id in old if abs(now - times[user_id]) > KEPT)
    with database.transaction() as session:
        # First, since it locks all of them in the order of ids.
        touch_people(session, old, read_at=now)
        changed, gone = differences(people_by_id(session, old), current)
        store_people(session, changed, read_at=now)
        deactivate_people(session, gone, read_at=now)
    return frozenset()


def differences(
    stored: Mapping[int, PersonRecord], current: Mapping[int, PersonRecord]
) -> tuple[list[PersonRecord], list[int]]:
    """The current records of people who changed on the platform, and active people who have no account there."""
    changed = [person for person in current.values() if person.without_inactive_profiles() != stored.get(person.id)]
    gone = [user_id for user_id, person in stored.items() if user_id not in current and person.is_active]
    return changed, gone

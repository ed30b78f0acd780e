"""People in the tables of 2025: some columns hold users.id where a profile is meant."""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.people import PROFILE_TABLES
from worker.platform.refusals import Refusal


def profiles_of_users(session: Session, role: str, user_ids: Collection[int | None]) -> dict[int, int]:
    """The profile of this role by user; of two profiles, the active one. Users without one are absent."""
    profile = PROFILE_TABLES[role]
    statement = select(profile.user_id, profile.id).where(profile.user_id == func.any(_numbers(user_ids)))
    rows = session.execute(statement.order_by(profile.user_id, profile.is_active, profile.id.desc()))
    return {row.user_id: row.id for row in rows}


def stored_profiles(session: Session, role: str, ids: Collection[int | None]) -> frozenset[int]:
    """Those of these profile ids that are stored here."""
    profile = PROFILE_TABLES[role]
    return frozenset(session.scalars(select(profile.id).where(profile.id == func.any(_numbers(ids)))))


def without_profile(user_id: int, role: str, *, is_refused: bool = True) -> Refusal:
    """The refusal for a user without a profile of this role here."""
    remedy = f"Give the user a {role} profile on the platform, or delete the row there."
    reason = f"user {user_id} has no {role} profile"
    return Refusal(f"no-{role}", reason, remedy, is_refused=is_refused, details={"user": user_id})


def unknown_profile(profile_id: int, role: str) -> Refusal:
    """The refusal for a profile that does not exist."""
    reason = f"no {role} profile {profile_id}"
    return Refusal(f"no-{role}", reason, "Correct the row on the platform, or delete it there.")


def _numbers(ids: Collection[int | None]) -> list[int]:
    return sorted({each for each in ids if each is not None})

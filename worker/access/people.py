"""Verify a signed token's claims against the database: tokens are valid for a week, people change sooner."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.access.callers import UserCaller
from worker.access.tokens import PROFILES
from worker.database import Executor
from worker.errors import Unauthorized


@dataclass(frozen=True)
class Claims:
    """What the database knows of a token's claims: the account, and the owner of each claimed profile."""

    user: UserCaller
    # None: there is no such account.
    is_active: bool | None
    # When the account was last read from the platform; None: it does not come from there.
    platform_read_at: datetime | None
    # For each claimed role whose profile exists: its owner's `users.id`, and whether it is active.
    profiles: Mapping[str, tuple[int, bool]]

    @property
    def unknown_profiles(self) -> frozenset[str]:
        """The claimed roles whose profile does not exist here."""
        return frozenset(claimed(self.user)) - self.profiles.keys()

    def accepted(self, *, unknown_are_absent: bool = False) -> UserCaller:
        """Return the caller with only those claimed profiles that are active.

        An inactive profile of the caller's own is dropped: tokens name it for up to a week after it was given up.
        Raises Unauthorized for the whole token when the account is not active, when a profile belongs to somebody
        else (a forged claim), or, unless `unknown_are_absent`, when a profile does not exist.
        """
        if not self.is_active:
            raise Unauthorized("The account of this token does not exist or is not active.")
        forged = any(owner != self.user.user_id for owner, _ in self.profiles.values())
        if forged or (self.unknown_profiles and not unknown_are_absent):
            raise Unauthorized("The token claims a profile that is not its owner's.")
        active = {role: profile_id for role, profile_id in claimed(self.user).items() if self._is_active(role)}
        return replace(
            self.user, tutor_id=active.get("tutor"), student_id=active.get("student"), parent_id=active.get("parent")
        )

    def _is_active(self, role: str) -> bool:
        _owner, is_active = self.profiles.get(role, (None, False))
        return is_active


def claimed(user: UserCaller) -> dict[str, int]:
    """The profile ids that a token claims, by role."""
    ids = {"tutor": user.tutor_id, "student": user.student_id, "parent": user.parent_id}
    return {role: profile_id for role, profile_id in ids.items() if profile_id is not None}


# Part of every request, so it is textual SQL: an ORM statement costs four times as much.
CLAIM_COLUMNS = """
    person.is_active, person.platform_read_at,
    tutor.user_id AS tutor_owner, tutor.is_active AS tutor_active,
    student.user_id AS student_owner, student.is_active AS student_active,
    parent.user_id AS parent_owner, parent.is_active AS parent_active
"""
CLAIM_TABLES = """
    (SELECT id, is_active, platform_read_at FROM users WHERE id = CAST(:user_id AS integer)) person
    LEFT JOIN tutor_profiles tutor ON tutor.id = CAST(:tutor AS integer)
    LEFT JOIN student_profiles student ON student.id = CAST(:student AS integer)
    LEFT JOIN parent_profiles parent ON parent.id = CAST(:parent AS integer)
"""
_CLAIMS = text(f"SELECT {CLAIM_COLUMNS} FROM {CLAIM_TABLES}")  # noqa: S608 - constants of this module


def read_claims(executor: Executor, user: UserCaller) -> Claims:
    """Look up the claims of `user` in the database. One query."""
    return claims_of(user, executor.execute(_CLAIMS, claim_values(user)).fetchone())


def claim_values(user: UserCaller) -> dict[str, int | None]:
    """The parameters of CLAIM_TABLES."""
    named = claimed(user)
    return {"user_id": user.user_id, **{role: named.get(role) for role in PROFILES}}


def claims_of(user: UserCaller, row: Sequence[Any] | None) -> Claims:
    """Build Claims from a row of CLAIM_COLUMNS. None: the account does not exist."""
    if row is None:
        return Claims(user, None, None, {})
    is_active, read_at, *owners = row
    pairs = zip(PROFILES, zip(owners[::2], owners[1::2], strict=True), strict=True)
    return Claims(user, is_active, read_at, {role: owner for role, owner in pairs if owner[0] is not None})


# Which of many callers would be accepted again with all their profiles.
_STILL_VALID = text(
    """
    SELECT asked.number
      FROM unnest(CAST(:users AS integer[]), CAST(:tutors AS integer[]), CAST(:students AS integer[]),
                  CAST(:parents AS integer[]))
           WITH ORDINALITY AS asked (user_id, tutor_id, student_id, parent_id, number)
      JOIN users person ON person.id = asked.user_id AND person.is_active
      LEFT JOIN tutor_profiles tutor
        ON tutor.id = asked.tutor_id AND tutor.user_id = person.id AND tutor.is_active
      LEFT JOIN student_profiles student
        ON student.id = asked.student_id AND student.user_id = person.id AND student.is_active
      LEFT JOIN parent_profiles parent
        ON parent.id = asked.parent_id AND parent.user_id = person.id AND parent.is_active
     WHERE (tutor.id, student.id, parent.id) IS NOT DISTINCT FROM (asked.tutor_id, asked.student_id, asked.parent_id)
    """
)


def still_valid(session: Session, users: Collection[UserCaller]) -> set[UserCaller]:
    """The subset of `users` that `verify` would still accept with every profile. One query for all of them."""
    callers = list(users)
    if not callers:
        return set()
    values = {
        "users": [user.user_id for user in callers],
        "tutors": [user.tutor_id for user in callers],
        "students": [user.student_id for user in callers],
        "parents": [user.parent_id for user in callers],
    }
    return {callers[number - 1] for number in session.scalars(_STILL_VALID, values)}


def verify(session: Session, user: UserCaller) -> UserCaller:
    """The caller as the database confirms them, see `Claims.accepted`. One query. Raises Unauthorized."""
    return read_claims(session, user).accepted()

"""A person as the platform describes them: an account and its profiles."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime


@dataclass(frozen=True)
class ProfileRecord:
    """One role of a person. Only students have `grade_level` and `parent_id` (parent profile ids)."""

    id: int
    username: str | None = None
    is_active: bool = True
    grade_level: str | None = None
    parent_id: tuple[int, ...] = ()


@dataclass(frozen=True)
class PersonRecord:
    """An account and its profiles, as the platform has them. Names and e-mail may be missing."""

    id: int
    first_name: str | None = None
    father_name: str | None = None
    grandfather_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    is_active: bool = True
    # None: unknown. Not compared: it never changes.
    created_at: datetime | None = field(default=None, compare=False)
    # By role: tutor, student, parent.
    profiles: Mapping[str, ProfileRecord] = field(default_factory=dict)

    def without_inactive_profiles(self) -> "PersonRecord":
        """This person as `stored_people` would return them."""
        active = {role: profile for role, profile in self.profiles.items() if profile.is_active}
        return replace(self, profiles=active)


ACCOUNT_FIELDS = ("id", "first_name", "father_name", "grandfather_name", "last_name", "email", "phone", "is_active")

"""The caller of a request: a person of the platform, or an operator."""

from dataclasses import dataclass, field

from worker.errors import Forbidden


@dataclass(frozen=True)
class UserCaller:
    """A person: `users.id`, the role they act in, and the profile ids their token claims (None: no such profile)."""

    user_id: int
    role: str | None = None
    tutor_id: int | None = None
    student_id: int | None = None
    parent_id: int | None = None
    # The token's `exp`, in seconds since 1970 (None: no token was read). It is not part of the identity.
    expires_at: int | None = field(default=None, compare=False)

    @property
    def principal(self) -> str:
        """The name the ledger keeps, like `user:1`."""
        return f"user:{self.user_id}"


@dataclass(frozen=True)
class Operator:
    """An admin of a department that runs this worker. They see everything but may not change lessons."""

    admin_id: int
    departments: frozenset[str]
    # As in UserCaller.
    expires_at: int | None = field(default=None, compare=False)

    @property
    def principal(self) -> str:
        """The name the ledger keeps, like `operator:3`."""
        return f"operator:{self.admin_id}"

    @property
    def tutor_id(self) -> None:
        """None: an operator acts as no tutor."""


Caller = UserCaller | Operator


def tutor_of(caller: Caller) -> int:
    """The calling tutor's profile. Raises Forbidden when the caller is no tutor."""
    if caller.tutor_id is None:
        raise Forbidden("Only a tutor can do that.")
    return caller.tutor_id

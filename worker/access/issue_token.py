"""Issue tokens as the platform's own login does."""

import time
from collections.abc import Iterable, Mapping

import jwt

from worker.access.tokens import PROFILES

_WEEK = 7 * 86_400
_HALF_AN_HOUR = 1_800


def issue_token(
    key: str,
    *,
    sub: int,
    role: str | None = None,
    role_ids: Mapping[str, int] | None = None,
    expires_in: int = _WEEK,
) -> str:
    """A person's token, valid for `expires_in` seconds. `role_ids` maps tutor, student and parent to profile ids."""
    profiles = dict(role_ids or {})
    claims = {
        "sub": str(sub),
        "role": role,
        "role_ids": {name: str(profiles[name]) if name in profiles else None for name in PROFILES},
        "exp": int(time.time()) + expires_in,
    }
    return jwt.encode(claims, key, algorithm="HS256")


def issue_operator_token(
    key: str, *, admin_id: int, departments: Iterable[str], expires_in: int = _HALF_AN_HOUR
) -> str:
    """An admin's token, valid for `expires_in` seconds; an operator's when a department is in OPERATOR_DEPARTMENTS."""
    claims = {
        "type": "admin",
        "admin_id": admin_id,
        "departments": sorted(departments),
        "exp": int(time.time()) + expires_in,
    }
    return jwt.encode(claims, key, algorithm="HS256")

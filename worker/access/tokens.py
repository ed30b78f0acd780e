"""The platform's tokens: HS256, `exp` required, and nothing accepted that is not signed.

RFC 7519; the claims are those that the platform's own login writes.
"""

import re
import time
from functools import lru_cache
from typing import Any

import jwt

from worker.access.callers import Caller, Operator, UserCaller
from worker.errors import Forbidden, Unauthorized

PROFILES = ("tutor", "student", "parent")

# The platform's tokens are under 1 KB. A longer one is not worth the hashing.
_LONGEST = 8_192
# Decoded tokens that a process caches, so that a request does not decode its token again.
_MAX_KEPT = 2000
_EXPIRED = "The token has expired; sign in again."
# Seconds by which the clocks of two machines may differ.
_LEEWAY = 5
_ID = re.compile(r"[1-9][0-9]{0,9}")
_LARGEST_ID = 2**31 - 1


def read_token(raw: str, key: str, operator_departments: frozenset[str]) -> Caller:
    """The caller that a token's signature proves; `verify` must still check a person against the database.

    Raises Unauthorized, and Forbidden for an admin of other departments.
    """
    claims = _verified_claims(raw, key)
    kind = claims.get("type")
    if kind == "admin":
        return _operator(claims, operator_departments)
    if kind is not None:
        raise Unauthorized("Tokens of this type are not taken here.")
    return _user(claims)


def _verified_claims(raw: str, key: str) -> dict[str, Any]:
    if len(raw) > _LONGEST:
        raise Unauthorized("The token is too long.")
    claims = _signed_claims(raw, key)
    # They may have been decoded while the token was still valid.
    if int(claims["exp"]) <= time.time() - _LEEWAY:
        raise Unauthorized(_EXPIRED)
    return claims


# Verified claims never change, and the caller checks the expiry again. Errors are not cached.
@lru_cache(maxsize=_MAX_KEPT)
def _signed_claims(raw: str, key: str) -> dict[str, Any]:
    try:
        return jwt.decode(raw, key, algorithms=["HS256"], options={"require": ["exp"]}, leeway=_LEEWAY)
    except jwt.ExpiredSignatureError as error:
        raise Unauthorized(_EXPIRED) from error
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        # The header is read before the signature is checked, so hostile JSON reaches the parser: its error message is
        # not repeated to the sender.
        raise Unauthorized("The token cannot be trusted.") from error


def _operator(claims: dict[str, Any], operator_departments: frozenset[str]) -> Operator:
    admin_id = claims.get("admin_id")
    departments = claims.get("departments")
    if type(admin_id) is not int or not 0 < admin_id <= _LARGEST_ID:
        raise Unauthorized("The token names no admin.")
    if not isinstance(departments, list) or not all(isinstance(name, str) for name in departments):
        raise Unauthorized("The token's departments are not a list of names.")
    if not operator_departments & set(departments):
        raise Forbidden("Only admins of an operator department may come in here.")
    return Operator(admin_id, frozenset(departments), int(claims["exp"]))


def _user(claims: dict[str, Any]) -> UserCaller:
    user_id = _id(claims.get("sub"))
    if user_id is None:
        raise Unauthorized("The token names no user.")
    role = claims.get("role")
    if role is not None and not isinstance(role, str):
        raise Unauthorized("The token's role is not a word.")
    tutor_id, student_id, parent_id = _profiles(claims.get("role_ids"))
    return UserCaller(user_id, role, tutor_id, student_id, parent_id, int(claims["exp"]))


def _profiles(role_ids: object) -> tuple[int | None, ...]:
    # Tokens without role_ids exist: they carry no profile, so they give access only to what needs none.
    if role_ids is None:
        return (None,) * len(PROFILES)
    if not isinstance(role_ids, dict):
        raise Unauthorized("The token's role_ids are malformed.")
    ids = []
    for name in PROFILES:
        claimed = role_ids.get(name)
        profile_id = _id(claimed)
        if claimed is not None and profile_id is None:
            raise Unauthorized("The token's role_ids are malformed.")
        ids.append(profile_id)
    return tuple(ids)


def _id(value: object) -> int | None:
    """Parse `value` as an id; None when it is not one, or exceeds the range of id columns."""
    if not isinstance(value, str) or not _ID.fullmatch(value) or int(value) > _LARGEST_ID:
        return None
    return int(value)

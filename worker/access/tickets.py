"""Tickets: one caller's access to one path, for what sends no `Authorization`: `EventSource`, `<track>`, players.

A ticket is part of a URL, which logs and histories may keep. So it permits a single path, for a minute or while a
recording plays, and is signed with a separate key: a ticket is never accepted as a token, nor a token as a ticket.
"""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from pydantic import TypeAdapter, ValidationError

from worker.access.callers import Caller, Operator, UserCaller
from worker.errors import Unauthorized

TICKET_LIFETIME = timedelta(seconds=60)
_PURPOSE = b"astegni stream ticket"
_KINDS: dict[str, TypeAdapter[Any]] = {"user": TypeAdapter(UserCaller), "operator": TypeAdapter(Operator)}


def issue_ticket(key: str, caller: Caller, path: str, now: datetime) -> tuple[str, datetime]:
    """A ticket of `caller` for `path`, and when it expires; never after the caller's token does."""
    expires_at = now + TICKET_LIFETIME
    if caller.expires_at is not None:
        expires_at = min(expires_at, datetime.fromtimestamp(caller.expires_at, UTC))
    return player_ticket(key, caller, path, expires_at), expires_at


def player_ticket(key: str, caller: Caller, path: str, expires_at: datetime) -> str:
    """A ticket of `caller` for `path` until `expires_at`, which may be after their token expires, as in signed URLs.
    A caller who loses access before that is still refused, because people are verified at each use."""
    kind = "operator" if isinstance(caller, Operator) else "user"
    claims = {
        "kind": kind,
        "caller": _KINDS[kind].dump_python(caller, mode="json"),
        "path": path,
        "exp": int(expires_at.timestamp()),
    }
    return jwt.encode(claims, _signing_key(key), algorithm="HS256")


def read_ticket(raw: str, key: str, path: str) -> Caller:
    """The caller to whom this ticket for `path` was issued, with the `expires_at` of their token.

    Raises Unauthorized.
    """
    try:
        claims = jwt.decode(raw, _signing_key(key), algorithms=["HS256"], options={"require": ["exp"]})
        caller: Caller = _KINDS[claims["kind"]].validate_python(claims["caller"])
    except jwt.ExpiredSignatureError as error:
        raise Unauthorized("The ticket has expired; ask for another.") from error
    except (jwt.PyJWTError, KeyError, ValueError, TypeError, RecursionError, ValidationError) as error:
        raise Unauthorized("The ticket cannot be trusted.") from error
    if claims.get("path") != path:
        raise Unauthorized("The ticket is for another address.")
    return caller


def _signing_key(key: str) -> bytes:
    return hmac.digest(key.encode(), _PURPOSE, hashlib.sha256)

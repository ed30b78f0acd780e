"""Process a POST once, however often it is sent: the Idempotency-Key protocol
(draft-ietf-httpapi-idempotency-key-header).

The transaction that does the work calls `find_response` first and `remember` last. A concurrent request with the key
waits in `find_response` until that transaction ends, and then gets its response.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from psycopg.errors import LockNotAvailable
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models.jobs import IdempotencyKey
from worker.errors import Conflict, InvalidInput

# Visible ASCII, so that a key is the same in every log, header and client.
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True)
class StoredResponse:
    """A stored response. The body is kept byte for byte, since a replay must be equal."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


def checked_key(key: str) -> str:
    """`key`, when it is 1 to 255 visible ASCII characters; InvalidInput otherwise."""
    if not _KEY.fullmatch(key):
        raise InvalidInput("An Idempotency-Key is 1 to 255 visible ASCII characters.")
    return key


def fingerprint(*parts: str) -> str:
    """SHA-256 in hex of what makes two requests the same, e.g. method, path and canonical body."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def find_response(session: Session, principal: str, key: str, fingerprint: str) -> StoredResponse | None:
    """The stored response for this key; None when the caller is the first and must now do the work.

    The first request locks the key until its transaction ends. Raises InvalidInput for a key used with another
    fingerprint, Conflict (`retry_after` seconds) when the first request takes longer than the lock timeout.
    """
    name = f"{principal} {key}"
    try:
        # An advisory lock on the key's hash, until the transaction ends. Two keys that collide merely wait for each
        # other.
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            raise Conflict("The first request with this Idempotency-Key is not done yet.", retry_after=2) from error
        raise
    # A separate statement: it must see what the previous owner of the lock has committed.
    row = session.get(IdempotencyKey, (principal, key))
    if row is None:
        return None
    if row.fingerprint != fingerprint:
        raise InvalidInput("This Idempotency-Key was used for another request; use a new key for each.")
    return StoredResponse(row.status, row.body["text"], row.headers)


def remember(session: Session, principal: str, key: str, fingerprint: str, response: StoredResponse) -> None:
    """Store the response, in the transaction that did the work: both commit, or neither does."""
    session.add(
        IdempotencyKey(
            principal=principal,
            key=key,
            fingerprint=fingerprint,
            status=response.status,
            headers=dict(response.headers),
            # A string inside the JSON: jsonb would reorder the body's keys and rewrite its numbers.
            body={"text": response.body},
        )
    )

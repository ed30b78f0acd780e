"""Shares: addresses that play a recording without a token. Only a hash of each secret is stored."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, select, text, update
from sqlalchemy.orm import Session

from models.recording_shares import RecordingShare
from worker.errors import Conflict, NotFound

# 256 bits.
_SECRET_BYTES = 32
_PRUNE = text(
    """
    DELETE FROM recording_shares WHERE id IN (
        SELECT id FROM recording_shares WHERE expires_at < now() - make_interval(secs => :age)
         ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED)
    """
)


@dataclass(frozen=True)
class NewShare:
    """When the address expires, who makes it (None: an operator), and the part to play, in seconds."""

    expires_at: datetime
    created_by: int | None
    from_seconds: int | None
    to_seconds: int | None


def create_share(session: Session, recording_id: int, new: NewShare, *, most: int) -> tuple[RecordingShare, str]:
    """Create an address; returns the row and its secret, which cannot be read again.

    The caller has locked the recording. Raises Conflict when the recording has `most` addresses that have not expired;
    0: no limit.
    """
    valid = select(func.count()).where(
        RecordingShare.recording_id == recording_id, RecordingShare.expires_at > func.now()
    )
    if most and (session.scalar(valid) or 0) >= most:
        raise Conflict(f"Recording {recording_id} has {most} addresses already; revoke those that nobody needs.")
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    share = RecordingShare(recording_id=recording_id, secret_hash=_hash(secret), **vars(new))
    session.add(share)
    session.flush()
    session.refresh(share)
    return share, secret


def shares_of(session: Session, recording_id: int) -> Sequence[RecordingShare]:
    """The addresses of a recording, newest first, including expired ones."""
    query = select(RecordingShare).where(RecordingShare.recording_id == recording_id)
    return session.scalars(query.order_by(RecordingShare.id.desc())).all()


def revoke_shares(session: Session, recording_id: int, share_id: int | None = None) -> None:
    """Revoke one address of a recording (raises NotFound), or all of them; effective at once."""
    statement = delete(RecordingShare).where(RecordingShare.recording_id == recording_id)
    if share_id is None:
        session.execute(statement)
        return
    if session.scalar(statement.where(RecordingShare.id == share_id).returning(RecordingShare.id)) is None:
        raise NotFound(f"Recording {recording_id} has no address {share_id}.")


def find_share(session: Session, secret: str, *, now: datetime) -> RecordingShare:
    """The share with this secret.

    Raises NotFound, with the same text, when there is none, it has expired or it was revoked. The lookup is by hash, so
    its duration reveals nothing about the secret.
    """
    query = select(RecordingShare).where(RecordingShare.secret_hash == _hash(secret), RecordingShare.expires_at > now)
    share = session.scalar(query)
    if share is None:
        raise NotFound("There is no recording at this address. It has expired, or was revoked: ask for another.")
    return share


def count_opening(session: Session, share: RecordingShare) -> None:
    """Count that a player has opened the share; concurrent openings are all counted."""
    session.execute(
        update(RecordingShare)
        .where(RecordingShare.id == share.id)
        .values(opened=RecordingShare.opened + 1, opened_at=func.now())
    )


def prune_shares(session: Session, *, age: float, most: int) -> int:
    """Delete at most `most` shares that expired more than `age` seconds ago; returns how many."""
    return cast("CursorResult[Any]", session.execute(_PRUNE, {"age": age, "most": most})).rowcount


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()

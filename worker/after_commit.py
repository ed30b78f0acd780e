"""Calls that run once a transaction has committed."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

AfterCommit = Callable[[], None]
# Called with the id of every job that a committed transaction queued (worker/jobs/publisher.py).
Announce = Callable[[UUID], None]


def after_commit(session: Session, call: AfterCommit) -> None:
    """Run `call` after the transaction of `session` has committed; never if it rolls back."""
    pending_calls(session).append(call)


def pending_calls(session: Session) -> list[AfterCommit]:
    """The calls registered in this transaction, in the order of registration."""
    calls: list[AfterCommit] = session.info.setdefault("after_commit", [])
    return calls


def announce_after_commit(session: Session, job_id: UUID) -> None:
    """Pass the job to this process's publisher after the commit; without a publisher the relay finds it."""
    announce: Announce | None = session.info.get("announce")
    if announce is not None:
        after_commit(session, partial(announce, job_id))

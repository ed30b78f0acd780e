"""Delete expired jobs and stored responses, a batch at a time."""

from typing import Any, cast

from sqlalchemy import CursorResult, TextClause, text
from sqlalchemy.orm import Session

# Deleted by ctid, which a locked row keeps: ids are random, so looking each up would touch another page of their index.
_JOBS = text(
    """
    DELETE FROM jobs WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM jobs WHERE finished_at < now() - make_interval(
            secs => CASE WHEN state = 'dead' THEN :dead ELSE :finished END)
         ORDER BY finished_at LIMIT :most FOR UPDATE SKIP LOCKED))
    """
)
# Orders that the timetable repeats: thousands of identical jobs a day, whose history nobody reads.
_ROUTINE = text(
    """
    DELETE FROM jobs WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM jobs
         WHERE principal = 'beat' AND state = 'succeeded' AND finished_at < now() - make_interval(secs => :age)
         ORDER BY created_at LIMIT :most FOR UPDATE SKIP LOCKED))
    """
)
_KEYS = text(
    """
    DELETE FROM idempotency_keys WHERE (principal, key) IN (
        SELECT principal, key FROM idempotency_keys
         WHERE created_at < now() - make_interval(secs => :age)
         ORDER BY created_at LIMIT :most FOR UPDATE SKIP LOCKED)
    """
)


def prune_jobs(session: Session, *, finished: float, dead: float, most: int) -> int:
    """Delete at most `most` jobs that ended more than `finished` seconds ago (`dead` ones: `dead` seconds).

    Their attempts are deleted with them. Returns how many jobs.
    """
    return _delete(session, _JOBS, finished=finished, dead=dead, most=most)


def prune_routine_jobs(session: Session, *, age: float, most: int) -> int:
    """Delete at most `most` jobs of beat that succeeded more than `age` seconds ago; return how many."""
    return _delete(session, _ROUTINE, age=age, most=most)


def prune_idempotency_keys(session: Session, *, age: float, most: int) -> int:
    """Delete at most `most` responses stored more than `age` seconds ago; return how many."""
    return _delete(session, _KEYS, age=age, most=most)


def _delete(session: Session, statement: TextClause, **values: float) -> int:
    return cast("CursorResult[Any]", session.execute(statement, values)).rowcount

"""Delete expired rows in small batches, so that no statement takes long and none blocks another."""

from typing import Any, cast

from sqlalchemy import CursorResult, TextClause, text

from worker.database import Database

_JOBS = text(
    """
    DELETE FROM jobs WHERE id IN (
        SELECT id FROM jobs WHERE finished_at < now() - make_interval(
            secs => CASE WHEN state = 'dead' THEN :dead ELSE :finished END)
         ORDER BY finished_at LIMIT :most FOR UPDATE SKIP LOCKED)
    """
)
# What the timetable orders repeatedly: thousands of identical jobs a day, of which nobody reads an old one.
_ROUTINE = text(
    """
    DELETE FROM jobs WHERE id IN (
        SELECT id FROM jobs
         WHERE principal = 'beat' AND state = 'succeeded' AND finished_at < now() - make_interval(secs => :age)
         ORDER BY created_at LIMIT :most FOR UPDATE SKIP LOCKED)
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

_BATCH = 5000


def prune_jobs(database: Database, *, finished: float, dead: float) -> int:
    """Delete jobs that ended more than `finished` seconds ago (`dead` ones: `dead` seconds), with their history."""
    return _in_batches(database, _JOBS, {"finished": finished, "dead": dead})


def prune_routine_jobs(database: Database, *, age: float) -> int:
    """Delete beat's jobs that succeeded more than `age` seconds ago."""
    return _in_batches(database, _ROUTINE, {"age": age})


def prune_idempotency_keys(database: Database, *, age: float) -> int:
    """Delete responses stored more than `age` seconds ago."""
    return _in_batches(database, _KEYS, {"age": age})


def _in_batches(database: Database, statement: TextClause, values: dict[str, float]) -> int:
    total = 0
    while True:
        with database.transaction() as session:
            result = cast("CursorResult[Any]", session.execute(statement, {**values, "most": _BATCH}))
            deleted = result.rowcount
        total += deleted
        if deleted < _BATCH:
            return total

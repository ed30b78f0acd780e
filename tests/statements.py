"""One SQL statement in a transaction of its own, for tests that look at rows or write them by hand."""

from typing import Any

from sqlalchemy import text

from worker.database import Database


def run_statement(database: Database, statement: str, **values: Any) -> list[Any]:
    """Execute and commit; returns its rows, none when it gives none."""
    with database.transaction() as session:
        result = session.connection().execute(text(statement), values)
        return list(result) if result.returns_rows else []


def waits_for_a_lock(database: Database) -> bool:
    """Whether a statement in this database waits for a lock that another transaction holds."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return bool(run_statement(database, waiting))

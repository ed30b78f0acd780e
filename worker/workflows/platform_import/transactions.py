"""The transactions of an import, real, or those of a dry run, which are rolled back, and their limits."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from worker.database import Database


@dataclass(frozen=True)
class PullLimits:
    """Rows per transaction, ids per statement, and the number of rows that people may delete in ten minutes.

    If more rows are gone, and these are the majority, nothing is removed.
    """

    rows: int = 1000
    ids: int = 20_000
    deletes: int = 100


class Transactions(Protocol):
    """Where rows are stored: a database, or a dry run, which is rolled back."""

    def transaction(self) -> AbstractContextManager[Session]:
        """A session that commits at the end of the block, or rolls back."""


class RolledBackTransactions:
    """Transactions that are savepoints of one that is never committed."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A savepoint."""
        with self.session.begin_nested():
            yield self.session


@contextmanager
def rolled_back(database: Database) -> Iterator[RolledBackTransactions]:
    """Run an import in the block and roll everything back."""
    with Session(database.engine, expire_on_commit=False) as session:
        yield RolledBackTransactions(session)
        session.rollback()

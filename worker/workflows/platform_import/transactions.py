"""The transactions of an import, real or in a rehearsal that is rolled back, and their limits."""

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
    """Where rows are stored: a database, or a rehearsal."""

    def transaction(self) -> AbstractContextManager[Session]:
        """A session that commits at the end of the block, or rolls back."""


class Rehearsal:
    """Transactions that are savepoints of one that is never committed."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A savepoint."""
        with self.session.begin_nested():
            yield self.session


@contextmanager
def rehearse(database: Database) -> Iterator[Rehearsal]:
    """Run an import in the block and roll everything back."""
    with Session(database.engine, expire_on_commit=False) as session:
        yield Rehearsal(session)
        session.rollback()

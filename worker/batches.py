"""Process many rows in batches, one short transaction each, so that nobody waits long for a locked row."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from sqlalchemy.orm import Session

from worker.database import Database

Result = TypeVar("Result")
# Processes the batch after an id; returns its result and the last id of the batch (None: no batch follows).
Step = Callable[[Session, int], tuple[Result, int | None]]


def batches(database: Database, step: Step[Result], *, check: Callable[[], None] = lambda: None) -> Iterator[Result]:
    """Yield the result of `step` for each batch, from id 0 on. `check` runs before each one and may raise to stop."""
    after: int | None = 0
    while after is not None:
        check()
        with database.transaction() as session:
            result, after = step(session, after)
        yield result


def repeat_full(
    database: Database, work: Callable[[Session], int], *, most: int, check: Callable[[], None] = lambda: None
) -> int:
    """Repeat `work`, which processes at most `most` rows and never the same twice, until a batch is not full.

    Returns how many rows were processed.
    """

    def step(session: Session, _after: int) -> tuple[int, int | None]:
        rows = work(session)
        return rows, 0 if rows == most else None

    return sum(batches(database, step, check=check))

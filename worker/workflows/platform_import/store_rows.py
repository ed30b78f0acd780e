"""Store a batch of rows of one kind in one transaction; rows with a known digest are skipped.

A batch locks its kind, so two imports at once store the same as one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from worker.errors import AstegniError
from worker.logs import get_logger
from worker.platform.connection import Row
from worker.platform.links import Link, lock_kind, read_links, remove_links, write_links
from worker.platform.refusals import Refusal, remove_refusals, write_refusals
from worker.workflows.platform_import.database_refusals import database_refusal
from worker.workflows.platform_import.kind import ImportOutcome, IncomingRow, Kind, Pull
from worker.workflows.platform_import.transactions import Transactions

_log = get_logger(__name__)

# What converting a row raises if a value has an unexpected form, such as a number where a list is meant.
_UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_LONGEST_REASON = 300


@dataclass(frozen=True)
class RowStore:
    """Stores and removes rows of one kind. `check` runs before each batch and may raise to stop."""

    transactions: Transactions
    kind: Kind
    pull: Pull
    check: Callable[[], None]

    def store(self, rows: Sequence[Row], *, again: bool = False) -> Mapping[str, int]:
        """Store the rows whose digest is not known; with `again` all of them."""
        self.check()
        first_of_each = {row.id: row for row in reversed(rows)}
        digests = {row_id: self.kind.digest(row, self.pull) for row_id, row in first_of_each.items()}
        with self.transactions.transaction() as session:
            lock_kind(session, self.kind.name)
            links = read_links(session, self.kind.name, digests)
            incoming = [
                IncomingRow(first_of_each[row_id], links[row_id].id if row_id in links else None)
                for row_id in sorted(first_of_each)
                if again or row_id not in links or links[row_id].digest != digests[row_id]
            ]
            outcomes = self._store_apart(session, incoming) if incoming else []
            write_links(session, self.kind.name, [_link(outcome, digests) for outcome in outcomes])
            # A new row without refusals has no earlier ones to replace.
            noted = {each.platform_id: each.refusals for each in outcomes if each.refusals or each.platform_id in links}
            if noted:
                write_refusals(session, self.kind.name, noted)
        refused = sum(outcome.is_refused for outcome in outcomes)
        return {"read": len(rows), "stored": len(outcomes) - refused, "refused": refused}

    def _store_apart(self, session: Session, rows: Sequence[IncomingRow]) -> Sequence[ImportOutcome]:
        """Store all rows in one savepoint or, if one of them cannot be stored, each half in its own."""
        try:
            with session.begin_nested():
                outcomes = self.kind.store(session, rows, self.pull)
                session.flush()
            return outcomes
        except (IntegrityError, DataError, AstegniError, *_UNREADABLE) as error:
            if isinstance(error, AstegniError) and error.retryable:
                raise
            if len(rows) == 1:
                [row] = rows
                return [ImportOutcome(row.row.id, row.id, (self._refusal(row.row.id, error),))]
        middle = len(rows) // 2
        return [*self._store_apart(session, rows[:middle]), *self._store_apart(session, rows[middle:])]

    def may_retry(self, row: Row) -> bool:
        """Whether a refused row that has not changed is retried: not if it cannot even be read."""
        try:
            return self.kind.may_retry(row, self.pull)
        except (AstegniError, *_UNREADABLE):
            return False

    def remove(self, links: Sequence[Link]) -> Mapping[str, int]:
        """Remove what was stored of these rows, with their links and refusals."""
        self.check()
        ids = [link.platform_id for link in links]
        with self.transactions.transaction() as session:
            lock_kind(session, self.kind.name)
            self.kind.remove(session, links, self.pull)
            remove_refusals(session, self.kind.name, ids)
            remove_links(session, self.kind.name, ids)
        return {"removed": len(links)}

    def _refusal(self, platform_id: int, error: Exception) -> Refusal:
        if isinstance(error, AstegniError):
            return Refusal(error.code, error.detail, "Correct the row on the platform.")
        if isinstance(error, IntegrityError | DataError):
            return database_refusal(error)
        # The row, or a fault of ours: the traceback tells.
        _log.warning("platform_row_unreadable", kind=self.kind.name, platform_id=platform_id, exc_info=error)
        reason = f"one of its values has a form that cannot be read here: {error}"
        return Refusal("unreadable", reason[:_LONGEST_REASON], "Look at the row on the platform, and correct it there.")


def _link(outcome: ImportOutcome, digests: Mapping[int, bytes]) -> Link:
    return Link(outcome.platform_id, outcome.id, digests[outcome.platform_id])

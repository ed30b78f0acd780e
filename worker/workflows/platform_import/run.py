"""Read what has changed there and store it: kind by kind, in batches of their own transactions.

Running it twice, or twice at once, gives the same: a batch locks its kind, and rows whose digest is known are left out.
Stopped anywhere, the next run reads again from the last complete pull.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol, TypeVar

from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from worker.canvases.stored.json_text import gc_paused
from worker.database import Database
from worker.errors import AstegniError
from worker.platform.connection import Row
from worker.platform.links import Link, count_links, hold_kind, links_between, read_links, remove_links, write_links
from worker.platform.pulls import Progress, PullState, read_pulls, touch_pulls, write_pull
from worker.platform.refusals import Refusal, refused_ids, remove_refusals, write_refusals
from worker.platform.source import EVERYTHING, SourceReader, Window
from worker.workflows.platform_import.database_refusals import database_refusal
from worker.workflows.platform_import.kind import ImportOutcome, Incoming, Kind, Pull

_Item = TypeVar("_Item")
# How often ids are compared and refused rows tried again.
_COMPARE_EVERY = timedelta(minutes=10)


@dataclass(frozen=True)
class PullLimits:
    """How much is done at once: rows of one transaction, ids of one statement, and rows that people may delete in ten
    minutes; when more have gone, and most of all, it is doubted.
    """

    rows: int = 1000
    ids: int = 20_000
    deletes: int = 100


class Transactions(Protocol):
    """Where rows are stored: a database, or a rehearsal."""

    def transaction(self) -> AbstractContextManager[Session]:
        """A session that commits at the end of the block, or rolls back."""


@dataclass
class KindReport:
    """What a run did with one kind; `waits_for` says what is missing when nothing could be read."""

    kind: str
    counts: Counter[str] = field(default_factory=Counter)
    waits_for: str | None = None
    # Nothing had changed there, and ids were not compared: only the time of the pull is to be stored.
    is_unchanged: bool = False


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
    """Run an import in the block and roll all of it back."""
    with Session(database.engine, expire_on_commit=False) as session:
        yield Rehearsal(session)
        session.rollback()


def pull_kinds(
    transactions: Transactions,
    kinds: Sequence[Kind],
    pull: Pull,
    *,
    compare: bool = False,
    accept_deletes: bool = False,
    check: Callable[[], None] = lambda: None,
    limits: PullLimits | None = None,
) -> Iterator[KindReport]:
    """Bring the rows of these kinds up to date, in this order; with `compare` also ids, however recently that was done.

    With `accept_deletes` also when most rows of a kind have gone at once. `check` runs before each batch and may raise
    to stop. Raises Unavailable.
    """
    with transactions.transaction() as session:
        states = read_pulls(session)
    unchanged: list[str] = []
    for kind in kinds:
        state = states.get(kind.name, PullState(kind.name))
        kind_pull = _KindPull(transactions, kind, pull, check, accept_deletes, limits or PullLimits())
        report = kind_pull.run(state, compare=compare)
        if report.is_unchanged:
            unchanged.append(kind.name)
        yield report
    if unchanged:
        with transactions.transaction() as session:
            touch_pulls(session, unchanged, now=pull.now)


@dataclass
class _KindPull:
    """One kind in one run."""

    transactions: Transactions
    kind: Kind
    pull: Pull
    check: Callable[[], None]
    accept_deletes: bool
    limits: PullLimits

    def run(self, state: PullState, *, compare: bool) -> KindReport:
        report = KindReport(self.kind.name)
        if not self.kind.source.is_there(self.pull.catalog):
            report.waits_for = f"table {self.kind.source.table}, which this state of the platform lacks"
        elif self.kind.needs_zone and self.pull.server_zone is None:
            report.waits_for = "a proof of the server's time zone, or PLATFORM_TIMEZONE"
        else:
            # Rows are many small objects without a cycle, and each collection would traverse all of a batch.
            with gc_paused():
                self._pull(report, state, compare=compare)
        return report

    def _pull(self, report: KindReport, state: PullState, *, compare: bool) -> None:
        reader = self.pull.reader(self.kind.source)
        is_due = compare or state.compared_at is None or self.pull.now - state.compared_at >= _COMPARE_EVERY
        if self.kind.only_compared and not is_due:
            report.is_unchanged = True
            return
        is_converted_anew = state.signature is not None and not state.signature.startswith(self._version)
        reads_all = (is_due and self.kind.reads_all) or is_converted_anew
        window = EVERYTHING if reads_all else state.window(self.kind.source)
        # Before the rows are read: what is written meanwhile is found the next time.
        signature = self._version + reader.signature(window)
        is_same = signature == state.signature and not reads_all
        if is_same and not is_due:
            report.is_unchanged = True
            return
        state = replace(state, pulled_at=self.pull.now)
        if not is_same:
            progress = Progress(state)
            for rows in self._batches(reader, window):
                report.counts.update(self._store(rows))
                progress.note(rows[-1].id, (row.row_changed_at for row in rows))
            state = progress.state(signature=signature, now=self.pull.now)
        if is_due:
            report.counts.update(self._compare(reader))
            state = replace(state, compared_at=self.pull.now)
        with self.transactions.transaction() as session:
            write_pull(session, state)

    @property
    def _version(self) -> str:
        """How signatures of this version begin: another one has all rows read again, and stored by their digests."""
        return "" if self.kind.version == 1 else f"version {self.kind.version}:"

    def _batches(self, reader: SourceReader, window: Window) -> Iterator[Sequence[Row]]:
        """The rows of the window, each batch read while the one before is stored."""

        def read(after: int) -> Future[Sequence[Row]]:
            return ahead.submit(reader.rows, window, after=after, most=self.limits.rows)

        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="platform-rows") as ahead:
            rows = read(0).result()
            while rows:
                following = read(rows[-1].id) if len(rows) == self.limits.rows else None
                yield rows
                rows = () if following is None else following.result()

    def _store(self, rows: Sequence[Row], *, again: bool = False) -> Mapping[str, int]:
        """Store the rows whose digest is not known; with `again` all of them."""
        self.check()
        first_of_each = {row.id: row for row in reversed(rows)}
        digests = {row_id: self.kind.digest(row, self.pull) for row_id, row in first_of_each.items()}
        with self.transactions.transaction() as session:
            hold_kind(session, self.kind.name)
            links = read_links(session, self.kind.name, digests)
            incoming = [
                Incoming(first_of_each[row_id], links[row_id].id if row_id in links else None)
                for row_id in sorted(first_of_each)
                if again or row_id not in links or links[row_id].digest != digests[row_id]
            ]
            outcomes = self._apart(session, incoming) if incoming else []
            write_links(session, self.kind.name, [_link(outcome, digests) for outcome in outcomes])
            # Of rows that were not read before nothing is noted.
            noted = {each.platform_id: each.refusals for each in outcomes if each.refusals or each.platform_id in links}
            if noted:
                write_refusals(session, self.kind.name, noted)
        refused = sum(outcome.is_refused for outcome in outcomes)
        return {"read": len(rows), "stored": len(outcomes) - refused, "refused": refused}

    def _apart(self, session: Session, rows: Sequence[Incoming]) -> Sequence[ImportOutcome]:
        """Store all rows in one savepoint or, when one of them cannot be stored, each half in another."""
        try:
            with session.begin_nested():
                outcomes = self.kind.store(session, rows, self.pull)
                session.flush()
            return outcomes
        except (IntegrityError, DataError, AstegniError) as error:
            if isinstance(error, AstegniError) and error.retryable:
                raise
            if len(rows) == 1:
                [row] = rows
                return [ImportOutcome(row.row.id, row.id, (_refusal(error),))]
        middle = len(rows) // 2
        return [*self._apart(session, rows[:middle]), *self._apart(session, rows[middle:])]

    def _compare(self, reader: SourceReader) -> Mapping[str, int]:
        """Compare ids: store rows that were missed, remove those that have gone, try refused ones again."""
        counts: Counter[str] = Counter()
        gone: list[Link] = []
        after: int | None = 0
        while after is not None:
            ids = reader.ids(after=after, most=self.limits.ids)
            # Behind the last id there, no link may be left.
            until = ids[-1] if len(ids) == self.limits.ids else None
            missed, missing = self._difference(ids, after, until)
            gone += self._still_missing(reader, missing)
            for batch in self._pieces(missed):
                counts.update(self._store(reader.rows_of(batch)))
            after = until
        if self._may_remove(gone):
            for links in self._pieces(gone):
                counts.update(self._remove(links))
        for batch in self._refused():
            rows = [row for row in reader.rows_of(batch) if self.kind.may_retry(row, self.pull)]
            taken = self._store(rows, again=True) if rows else {}
            counts.update(stored=taken.get("stored", 0))
        return counts

    def _difference(self, ids: Sequence[int], after: int, until: int | None) -> tuple[list[int], list[Link]]:
        with self.transactions.transaction() as session:
            links = links_between(session, self.kind.name, after=after, until=until)
        there, known = set(ids), {link.platform_id for link in links}
        return sorted(there - known), [link for link in links if link.platform_id not in there]

    def _still_missing(self, reader: SourceReader, links: Sequence[Link]) -> list[Link]:
        """Those whose rows are not there: another import may have stored rows that came after ids were read."""
        there = {
            row_id for batch in self._pieces(links) for row_id in reader.ids_of([link.platform_id for link in batch])
        }
        return [link for link in links if link.platform_id not in there]

    def _may_remove(self, gone: Sequence[Link]) -> bool:
        """Not when most rows have gone at once: a restored or another database is likelier than that people did it."""
        ours = sum(link.id is not None for link in gone)
        with self.transactions.transaction() as session:
            linked = count_links(session, self.kind.name)
            is_too_much = not self.accept_deletes and ours > self.limits.deletes and ours * 2 > linked
            write_refusals(session, self.kind.name, {0: (_too_much(ours, linked),) if is_too_much else ()})
        return not is_too_much

    def _remove(self, links: Sequence[Link]) -> Mapping[str, int]:
        self.check()
        ids = [link.platform_id for link in links]
        with self.transactions.transaction() as session:
            hold_kind(session, self.kind.name)
            self.kind.remove(session, links, self.pull)
            remove_refusals(session, self.kind.name, ids)
            remove_links(session, self.kind.name, ids)
        return {"removed": len(links)}

    def _pieces(self, items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
        for first in range(0, len(items), self.limits.rows):
            yield items[first : first + self.limits.rows]

    def _refused(self) -> Iterator[list[int]]:
        after = 0
        while True:
            with self.transactions.transaction() as session:
                ids = refused_ids(session, self.kind.name, after=after, most=self.limits.rows)
            if not ids:
                return
            yield ids
            after = ids[-1]


def _link(outcome: ImportOutcome, digests: Mapping[int, bytes]) -> Link:
    return Link(outcome.platform_id, outcome.id, digests[outcome.platform_id])


def _too_much(gone: int, linked: int) -> Refusal:
    reason = f"{gone} of {linked} rows have gone at once, and nothing was removed here"
    remedy = "Make sure that it is the right database; if they were deleted, run the import with --accept-deletes."
    return Refusal("too-much-gone", reason, remedy)


def _refusal(error: IntegrityError | DataError | AstegniError) -> Refusal:
    if isinstance(error, AstegniError):
        return Refusal(error.code, error.detail, "Correct the row on the platform.")
    return database_refusal(error)

"""Read what has changed on the platform and store it, kind by kind, in batches with a transaction each.

Running it twice, or twice at once, gives the same result: a batch locks its kind, and rows with a known digest are
skipped. Whenever it is stopped, the next run reads again from the last complete pull.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from worker.canvases.stored.json_text import gc_paused
from worker.platform.connection import Row
from worker.platform.pulls import Progress, PullState, read_pulls, touch_pulls, write_pull
from worker.platform.source import EVERYTHING, Window
from worker.platform.source_reader import SourceReader
from worker.workflows.platform_import.compare_ids import IdComparison
from worker.workflows.platform_import.kind import Kind, Pull
from worker.workflows.platform_import.store_rows import RowStore
from worker.workflows.platform_import.transactions import PullLimits, Transactions

# How often ids are compared and refused rows are retried.
_COMPARE_EVERY = timedelta(minutes=10)


@dataclass
class KindReport:
    """What a run did with one kind; `waits_for` says what is missing when nothing could be read."""

    kind: str
    counts: Counter[str] = field(default_factory=Counter)
    waits_for: str | None = None
    # Nothing has changed there, and ids were not compared: only the time of the pull must be stored.
    is_unchanged: bool = False


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
    """Bring the rows of these kinds up to date, in this order; with `compare` always their ids too.

    `accept_deletes` removes rows even if most of a kind were deleted at once. `check` runs before each batch and may
    raise to stop. Raises Unavailable.
    """
    with transactions.transaction() as session:
        states = read_pulls(session)
    unchanged: list[str] = []
    for kind in kinds:
        state = states.get(kind.name, PullState(kind.name))
        store = RowStore(transactions, kind, pull, check)
        report = _KindPull(store, kind, pull, accept_deletes, limits or PullLimits()).run(state, compare=compare)
        if report.is_unchanged:
            unchanged.append(kind.name)
        yield report
    if unchanged:
        with transactions.transaction() as session:
            touch_pulls(session, unchanged, now=pull.now)


@dataclass
class _KindPull:
    """One kind in one run."""

    store: RowStore
    kind: Kind
    pull: Pull
    accept_deletes: bool
    limits: PullLimits

    def run(self, state: PullState, *, compare: bool) -> KindReport:
        report = KindReport(self.kind.name)
        if not self.kind.source.is_there(self.pull.catalog):
            missing = ", ".join(self.kind.source.missing(self.pull.catalog))
            report.waits_for = f"{missing}, which this state of the platform lacks"
        elif self.kind.needs_zone and self.pull.server_zone is None:
            report.waits_for = "a proof of the server's time zone, or PLATFORM_TIMEZONE"
        else:
            # Rows are many small objects without cycles, and each collection would traverse a whole batch.
            with gc_paused():
                self._pull(report, state, compare=compare)
        return report

    def _pull(self, report: KindReport, state: PullState, *, compare: bool) -> None:
        reader = self.pull.reader(self.kind.source)
        is_due = compare or state.compared_at is None or self.pull.now - state.compared_at >= _COMPARE_EVERY
        if self.kind.only_compared and not is_due:
            report.is_unchanged = True
            return
        conversion = self.kind.conversion(self.pull)
        is_other_conversion = state.signature is not None and not state.signature.startswith(conversion)
        if state.changed_at is not None and not self._has_passed(state.changed_at):
            # Of an older release, which took the time of such a row for how far it had read.
            state = replace(state, changed_at=None)
        reads_all = (is_due and self.kind.reads_all) or is_other_conversion
        window = EVERYTHING if reads_all else state.window(self.kind.source)
        # Before the rows are read, so that anything written meanwhile is found next time.
        signature = conversion + reader.signature(window)
        is_same = signature == state.signature and not reads_all
        if is_same and not is_due:
            report.is_unchanged = True
            return
        state = replace(state, pulled_at=self.pull.now)
        if not is_same:
            progress = Progress(state)
            for rows in self._batches(reader, window):
                report.counts.update(self.store.store(rows))
                progress.note(rows[-1].id, [at for row in rows if self._has_passed(at := row.row_changed_at)])
            state = progress.state(signature=signature, now=self.pull.now)
        if is_due:
            comparison = IdComparison(self.store, reader, self.limits, self.accept_deletes)
            report.counts.update(comparison.compare())
            state = replace(state, compared_at=self.pull.now)
        with self.store.transactions.transaction() as session:
            write_pull(session, state)

    def _has_passed(self, moment: datetime | None) -> bool:
        """Whether a row of that time tells how far was read: one of the future would hide all that come before it."""
        return moment is not None and self.pull.has_passed(moment, self.kind)

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

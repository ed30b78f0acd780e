"""The pruner's batches and the metrics on one database."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from sqlalchemy.orm import Session

from benchmarks.rows.side import Side, Took, milliseconds
from worker.api.operations.ledger_metrics import LedgerCollector
from worker.jobs.prune import prune_jobs, prune_routine_jobs
from worker.reminders.delivery.prune import prune_deliveries

_DAY = 86_400.0
# Shorter than the settings', so that enough rows are old on both sides.
_PRUNERS: dict[str, Callable[..., int]] = {
    "jobs with their attempts": partial(prune_jobs, finished=29 * _DAY, dead=180 * _DAY),
    "jobs of beat": partial(prune_routine_jobs, age=_DAY),
    "deliveries": partial(prune_deliveries, age=80 * _DAY),
}


class _Undone(Exception):
    """Rolls a batch back, so that the next turn finds the same rows."""


def measure_pruner(side: Side) -> Took:
    """One batch of each table that has a retention."""
    return {f"pruner: {side.batch:,} {what}": _pruned(side, prune) for what, prune in _PRUNERS.items()}


def measure_metrics(side: Side) -> Took:
    """Everything that `/metrics` reads from the database."""
    return {
        "metrics: all that is read from the database": milliseconds(
            lambda: list(LedgerCollector(side.settings, side.database, lambda: 0, None).collect())
        )
    }


def _pruned(side: Side, prune: Callable[..., int]) -> list[float]:
    took: list[float] = []
    with suppress(_Undone), side.database.transaction() as session:
        took = milliseconds(lambda: _batch(session, prune, side.batch))
        raise _Undone
    return took


def _batch(session: Session, prune: Callable[..., int], most: int) -> None:
    deleted = prune(session, most=most)
    assert deleted == most, f"{deleted} rows, not {most}"

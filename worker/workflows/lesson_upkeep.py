"""Lessons move on and series stay filled without anybody's doing. Safe to run at any time, late, and twice at once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from worker.jobs.job_run import JobRun
from worker.logs import get_logger
from worker.reminders.planning.plan import plan_ahead, plan_reminders
from worker.schedules.advance import begin_lessons, complete_lessons
from worker.schedules.recompute_instants import RedateResult, date_lessons, redate_lessons
from worker.schedules.series.complete import complete_series
from worker.schedules.series.reconcile import fill
from worker.workflows.context import WorkerContext
from worker.workflows.run_session import close_sessions

_log = get_logger(__name__)

# Rows of one transaction: some hundredths of a second, so that nobody waits for their lesson's row.
_BATCH = 500
# Whole series, with some dozens of lessons each.
_SERIES_BATCH = 100
# More names than anybody reads are counted only.
_MOST_NAMED = 50


def advance_lessons(run: JobRun, tools: WorkerContext, now: datetime) -> None:
    """Begin and complete lessons, close whiteboard sessions left running, give hand-written rows their instants."""
    begun = _in_batches(run, tools, partial(begin_lessons, now=now, most=_BATCH))
    completed = _in_batches(run, tools, partial(complete_lessons, now=now, most=_BATCH))
    closed = _close_sessions(run, tools, now)
    dated, stuck = _tend(run, tools, now, partial(date_lessons, default_zone=tools.settings.timezone, most=_BATCH))
    _report("lessons_without_instants", stuck)
    result = {"begun": begun, "completed": completed, "closed": closed, "dated": dated, **_named(stuck)}
    with run.finish(result):
        pass


def fill_series(run: JobRun, tools: WorkerContext, now: datetime) -> None:
    """Keep every active series filled up to its horizon, follow the zones' rules, complete series that are over.

    Reminders are planned with the lessons. Nobody is told that the rules of a zone changed: where the lesson is, its
    clock time stays. At the end all lessons to come are planned once more, for what happened without our workflows.
    """
    series, lessons, skipped = _fill(run, tools, now)
    redate = partial(redate_lessons, now=now, default_zone=tools.settings.timezone, most=_BATCH)
    moved, stuck = _tend_again(run, tools, now, redate)
    _report("lessons_of_old_zone_rules", stuck)
    finished = _complete_series(run, tools, now)
    planned = _plan_ahead(run, tools, now)
    result = {"series": series, "lessons": lessons, "skipped": skipped, "moved": moved, "finished": finished}
    with run.finish({**result, "reminders": planned, **_named(stuck)}):
        pass


def _in_batches(run: JobRun, tools: WorkerContext, do: Callable[[Session], int]) -> int:
    total, done = 0, _BATCH
    while done == _BATCH:
        run.check()
        with tools.database.transaction() as session:
            done = do(session)
        total += done
    return total


def _close_sessions(run: JobRun, tools: WorkerContext, now: datetime) -> int:
    quiet_since = now - timedelta(seconds=tools.settings.whiteboard_left_seconds)
    total = 0
    after: int | None = 0
    while after is not None:
        run.check()
        with tools.database.transaction() as session:
            closed = close_sessions(session, quiet_since=quiet_since, now=now, after=after, most=_BATCH)
        total, after = total + closed.sessions, closed.last
    return total


def _tend(run: JobRun, tools: WorkerContext, now: datetime, do: Callable[..., RedateResult]) -> tuple[int, list[int]]:
    """Every row once; answers how many moved and which are stuck."""
    moved, stuck = 0, list[int]()
    after: int | None = 0
    while after is not None:
        run.check()
        with tools.database.transaction() as session:
            tended = do(session, after=after)
            plan_reminders(session, tended.ids, now=now)
        moved, after = moved + tended.moved, tended.last
        stuck += tended.stuck
    return moved, stuck


def _tend_again(
    run: JobRun, tools: WorkerContext, now: datetime, do: Callable[..., RedateResult]
) -> tuple[int, list[int]]:
    """Again while that helps: a lesson may be stuck because its neighbour moves only in a later batch."""
    moved, stuck = _tend(run, tools, now, do)
    more = moved
    while stuck and more:
        more, stuck = _tend(run, tools, now, do)
        moved += more
    return moved, stuck


def _fill(run: JobRun, tools: WorkerContext, now: datetime) -> tuple[int, int, int]:
    horizon = tools.settings.schedule_horizon_days
    series = lessons = skipped = 0
    while True:
        run.check()
        with tools.database.transaction() as session:
            filled = fill(session, now=now, horizon_days=horizon, batch=_SERIES_BATCH)
            plan_reminders(session, filled.ids, now=now)
        if not filled.series:
            return series, lessons, skipped
        series, lessons, skipped = series + filled.series, lessons + filled.lessons, skipped + filled.skipped
        run.progress(0, f"{series} series filled")


def _complete_series(run: JobRun, tools: WorkerContext, now: datetime) -> int:
    total = 0
    after: int | None = 0
    while after is not None:
        run.check()
        with tools.database.transaction() as session:
            done, after = complete_series(session, now=now, after=after, most=_BATCH)
        total += done
    return total


def _plan_ahead(run: JobRun, tools: WorkerContext, now: datetime) -> int:
    """How many reminders were missing."""
    total = 0
    after: int | None = 0
    while after is not None:
        run.check()
        with tools.database.transaction() as session:
            planned, after = plan_ahead(session, now=now, after=after, most=_BATCH)
        total += planned.planned
    return total


def _named(stuck: list[int]) -> dict[str, Any]:
    return {"stuck": len(stuck), "stuck_ids": stuck[:_MOST_NAMED]}


def _report(event: str, stuck: list[int]) -> None:
    if stuck:
        _log.warning(event, count=len(stuck), schedule_ids=stuck[:_MOST_NAMED])

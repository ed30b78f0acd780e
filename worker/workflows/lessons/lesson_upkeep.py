"""Advance lessons and keep series filled. Idempotent: safe to run at any time, late, and concurrently."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from worker.batches import batches, repeat_full
from worker.jobs.runs.job_run import JobRun
from worker.logs import get_logger
from worker.reminders.planning.plan import plan_ahead, plan_reminders
from worker.schedules.advance import begin_lessons, complete_lessons
from worker.schedules.planning import Planning
from worker.schedules.recompute_instants import RedateResult, date_lessons, redate_lessons
from worker.schedules.series.complete import complete_series
from worker.schedules.series.fill import FillResult, fill
from worker.workflows.boards.run_session import close_sessions
from worker.workflows.context import WorkerContext
from worker.workflows.lessons.plan_timetable import plan_due_entries

_log = get_logger(__name__)

# Rows per transaction: some hundredths of a second, so that nobody waits long for a lesson's row.
_BATCH = 500
# Whole series, with some dozens of lessons each.
_SERIES_BATCH = 100
# Ids listed in a job's result; others are only counted.
_MAX_NAMED = 50


def advance_lessons(run: JobRun, context: WorkerContext, now: datetime) -> None:
    """Start and complete lessons, close abandoned whiteboard sessions, compute the instants of hand-written rows.

    Also plans the reminders of timetable entries that are due for planning.
    """
    steps = (("begun", begin_lessons), ("completed", complete_lessons), ("entries", plan_due_entries))
    counts = {
        name: repeat_full(context.database, partial(work, now=now, most=_BATCH), most=_BATCH, check=run.check)
        for name, work in steps
    }
    closed = _close_sessions(run, context, now)
    dated, stuck = _redate(
        run, context, now, partial(date_lessons, default_zone=context.settings.timezone, most=_BATCH)
    )
    _report("lessons_without_instants", stuck)
    run.succeed({**counts, "closed": closed, "dated": dated, **_named(stuck)})


def fill_series(run: JobRun, context: WorkerContext, now: datetime) -> None:
    """Keep every active series filled up to its horizon, apply changed zone rules, complete series that have ended.

    Reminders are planned with the lessons. Nobody is notified of changed zone rules: where the lesson takes place, its
    clock time stays. In the end all future lessons are planned once more, for changes made without our workflows.
    """
    filled = _fill(run, context, now)
    redate = partial(redate_lessons, now=now, default_zone=context.settings.timezone, most=_BATCH)
    moved, stuck = _redate_repeatedly(run, context, now, redate)
    _report("lessons_of_old_zone_rules", stuck)
    complete = partial(complete_series, now=now, most=_BATCH)
    finished = sum(batches(context.database, lambda session, after: complete(session, after=after), check=run.check))
    planned = _plan_ahead(run, context, now)
    run.succeed({**filled, "moved": moved, "finished": finished, "reminders": planned, **_named(stuck)})


def _close_sessions(run: JobRun, context: WorkerContext, now: datetime) -> int:
    quiet_since = now - timedelta(seconds=context.settings.whiteboard_left_seconds)

    def close(session: Session, after: int) -> tuple[int, int | None]:
        closed = close_sessions(session, quiet_since=quiet_since, now=now, after=after, most=_BATCH)
        return closed.sessions, closed.last

    return sum(batches(context.database, close, check=run.check))


def _redate(
    run: JobRun, context: WorkerContext, now: datetime, do: Callable[..., RedateResult]
) -> tuple[int, list[int]]:
    """Process every row once; returns how many moved, and which are stuck."""

    def redate(session: Session, after: int) -> tuple[RedateResult, int | None]:
        redated = do(session, after=after)
        plan_reminders(session, redated.ids, now=now)
        return redated, redated.last

    results = list(batches(context.database, redate, check=run.check))
    return sum(result.moved for result in results), [row_id for result in results for row_id in result.stuck]


def _redate_repeatedly(
    run: JobRun, context: WorkerContext, now: datetime, do: Callable[..., RedateResult]
) -> tuple[int, list[int]]:
    """Repeat while that helps: a lesson may be stuck because its neighbour moves only in a later batch."""
    moved, stuck = _redate(run, context, now, do)
    more = moved
    while stuck and more:
        more, stuck = _redate(run, context, now, do)
        moved += more
    return moved, stuck


def _fill(run: JobRun, context: WorkerContext, now: datetime) -> dict[str, int]:
    planning = Planning(now, context.settings.schedule_horizon_days)

    def fill_some(session: Session, after: int) -> tuple[FillResult, int | None]:
        filled = fill(session, planning, batch=_SERIES_BATCH, after=after)
        plan_reminders(session, filled.ids, now=now)
        return filled, filled.last

    counts = Counter(series=0, lessons=0, skipped=0)
    for filled in batches(context.database, fill_some, check=run.check):
        counts.update(series=filled.series, lessons=filled.lessons, skipped=filled.skipped)
        run.progress(0, f"{counts['series']} series filled")
    return dict(counts)


def _plan_ahead(run: JobRun, context: WorkerContext, now: datetime) -> int:
    """Plan all future lessons; returns how many reminders were missing."""
    plan = partial(plan_ahead, now=now, most=_BATCH)
    results = batches(context.database, lambda session, after: plan(session, after=after), check=run.check)
    return sum(planned.planned for planned in results)


def _named(stuck: list[int]) -> dict[str, Any]:
    return {"stuck": len(stuck), "stuck_ids": stuck[:_MAX_NAMED]}


def _report(event: str, stuck: list[int]) -> None:
    if stuck:
        _log.warning(event, count=len(stuck), schedule_ids=stuck[:_MAX_NAMED])

"""Lessons: advance their status, keep series filled."""

from worker import clock
from worker.jobs.orders.routine_orders import AdvanceLessons, FillSeries
from worker.jobs.runs.job_run import JobRun
from worker.processes.child import performs
from worker.workflows.context import WorkerContext
from worker.workflows.lessons import lesson_upkeep


@performs(AdvanceLessons)
def advance(run: JobRun, context: WorkerContext) -> None:
    """Set lessons that have begun to in progress, those that have ended to completed."""
    lesson_upkeep.advance_lessons(run, context, clock.now())


@performs(FillSeries)
def fill(run: JobRun, context: WorkerContext) -> None:
    """Store the lessons of every active series up to the horizon."""
    lesson_upkeep.fill_series(run, context, clock.now())

"""Lessons: their status moves by itself, and series stay filled."""

from worker import clock
from worker.jobs.job_run import JobRun
from worker.jobs.orders import AdvanceLessons, FillSeries
from worker.processes.child import performs
from worker.workflows import lesson_upkeep
from worker.workflows.context import WorkerContext


@performs(AdvanceLessons)
def advance(run: JobRun, tools: WorkerContext) -> None:
    """What has begun is in progress, what has ended is completed."""
    lesson_upkeep.advance_lessons(run, tools, clock.now())


@performs(FillSeries)
def fill(run: JobRun, tools: WorkerContext) -> None:
    """Lessons of every active series, as far ahead as they should be."""
    lesson_upkeep.fill_series(run, tools, clock.now())

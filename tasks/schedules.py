"""Lessons: their status moves by itself, and series stay filled."""

from worker import clock
from worker.jobs.job_run import JobRun
from worker.jobs.orders import AdvanceLessons, FillSeries
from worker.processes.child import performs
from worker.workflows import lesson_upkeep
from worker.workflows.context import WorkerContext


@performs(AdvanceLessons)
def advance(run: JobRun, order: AdvanceLessons, tools: WorkerContext) -> None:  # noqa: ARG001 - the order says it all
    """What has begun is in progress, what has ended is completed."""
    lesson_upkeep.advance_lessons(run, tools, clock.now())


@performs(FillSeries)
def fill(run: JobRun, order: FillSeries, tools: WorkerContext) -> None:  # noqa: ARG001 - the order says it all
    """Lessons of every active series, as far ahead as they should be."""
    lesson_upkeep.fill_series(run, tools, clock.now())

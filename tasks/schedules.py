"""Lessons: their status moves by itself, and series stay filled."""

from worker import clock
from worker.jobs.orders import AdvanceLessons, FillSeries
from worker.jobs.run import JobRun
from worker.processes.child import performs
from worker.workflows import tend_lessons
from worker.workflows.tools import Tools


@performs(AdvanceLessons)
def advance(run: JobRun, order: AdvanceLessons, tools: Tools) -> None:  # noqa: ARG001 - the order says it all
    """What has begun is in progress, what has ended is completed."""
    tend_lessons.advance_lessons(run, tools, clock.now())


@performs(FillSeries)
def fill(run: JobRun, order: FillSeries, tools: Tools) -> None:  # noqa: ARG001 - the order says it all
    """Lessons of every active series, as far ahead as they should be."""
    tend_lessons.fill_series(run, tools, clock.now())

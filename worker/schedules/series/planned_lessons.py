"""What a plan decides: the lessons to write, to cancel and to skip."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from worker.schedules.conflicts.clash import ScheduleClash
from worker.schedules.series.series_state import Attendee, SeriesState, StoredLesson


@dataclass(frozen=True)
class PlannedLesson:
    """A lesson as it must be. `stored` is the row to update; None: insert a new one."""

    state: SeriesState
    id: int
    day: date
    starts_at: datetime
    ends_at: datetime
    attendees: Sequence[Attendee]
    stored: StoredLesson | None = None

    @property
    def named(self) -> tuple[int | None, str | None, int | None]:
        """student_id, student_name and booking_id of the row: those of the first student."""
        if not self.attendees:
            return None, None, None
        first = self.attendees[0]
        return first.student_id, first.name, first.booking_id


class Skip(NamedTuple):
    """An occurrence without a lesson, for everybody or for this student, and the lesson it collides with."""

    series_id: int
    day: date
    student_id: int | None
    reason: str
    schedule_id: int


@dataclass
class Plan:
    """The rows to write."""

    new: list[PlannedLesson] = field(default_factory=list)
    changed: list[PlannedLesson] = field(default_factory=list)
    # Rows to cancel with their series.
    cancelled: list[int] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    conflicts: list[ScheduleClash] = field(default_factory=list)

"""Lessons that would double-book somebody: which lesson they overlap, and the 409 that reports it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from psycopg.errors import DeadlockDetected, ExclusionViolation
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from worker import errors

TUTOR_BUSY, STUDENT_BUSY = "tutor-busy", "student-busy"


@dataclass(frozen=True)
class ScheduleClash:
    """A lesson that cannot be stored, because its tutor or one of its students has another at that time.

    `schedule_id` is that other lesson; `student_id` is set when it is a student who is busy.
    """

    schedule_date: date
    starts_at: datetime
    ends_at: datetime
    reason: str
    schedule_id: int | None
    student_id: int | None = None

    def document(self) -> dict[str, Any]:
        """The JSON form, with `student_id` only if there is one."""
        columns = asdict(self) | {
            "schedule_date": self.schedule_date.isoformat(),
            "starts_at": self.starts_at.isoformat(),
            "ends_at": self.ends_at.isoformat(),
        }
        return {name: value for name, value in columns.items() if name != "student_id" or value is not None}


class LessonConflict(errors.Conflict):
    """Lessons overlap with others; the member `conflicts` lists them all, the detail names the first."""

    def __init__(self, conflicts: Sequence[ScheduleClash]) -> None:
        first = conflicts[0]
        who = "The tutor" if first.student_id is None else f"Student {first.student_id}"
        more = f" {len(conflicts) - 1} more collide." if len(conflicts) > 1 else ""
        super().__init__(
            f"{who} already has lesson {first.schedule_id} at the time of the one on {first.schedule_date}.{more}",
            conflicts=[clash.document() for clash in conflicts],
        )


def is_collision(error: DBAPIError) -> bool:
    """Whether the database rejected two lessons at one time.

    Two concurrent inserts that collide wait for each other, so one of them may get a deadlock error instead.
    """
    return isinstance(error.orig, ExclusionViolation | DeadlockDetected)


@contextmanager
def translate_exclusion(session: Session, find: Callable[[], Sequence[ScheduleClash]]) -> Iterator[None]:
    """Run the block in a savepoint; when the database rejects it for a collision, report what `find` then returns.

    Raises LessonConflict, or a plain Conflict when the other lesson has just been removed.
    """
    try:
        with session.begin_nested():
            yield
            session.flush()
    except DBAPIError as error:
        if not is_collision(error):
            raise
        # A new statement sees what the other transaction has committed meanwhile.
        clashes = find()
        if not clashes:
            raise errors.Conflict("Another lesson was being stored at the same time; try again.") from error
        raise LessonConflict(clashes) from error

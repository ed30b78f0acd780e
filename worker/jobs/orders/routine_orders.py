"""Orders that the timetable repeats: upkeep, lessons and overdue messages."""

from dataclasses import dataclass
from typing import ClassVar

from worker.jobs.orders.order import LongOrder, Order, RoutineOrder
from worker.queue_names import spool_queue


@dataclass(frozen=True)
class SweepObjects(RoutineOrder):
    """Delete objects below our prefixes that no row names, and unfinished large files."""

    kind: ClassVar[str] = "upkeep.sweep_objects"


@dataclass(frozen=True)
class CheckQueue(Order):
    """Do nothing: its success shows that broker, children and database work for its queue."""

    kind: ClassVar[str] = "upkeep.check_queue"
    max_attempts: ClassVar[int] = 2
    priority: ClassVar[int] = 0

    queue_name: str

    @property
    def queue(self) -> str:
        return self.queue_name

    @property
    def lane(self) -> None:
        return None

    @property
    def unique_key(self) -> str:
        return f"{self.kind}:{self.queue_name}"


@dataclass(frozen=True)
class SpoolOrder(Order):
    """Upkeep of one spool, on a machine that sees it."""

    spool_id: str

    @property
    def queue(self) -> str:
        return spool_queue(self.spool_id)

    @property
    def unique_key(self) -> str:
        return f"{self.kind}:{self.spool_id}"


@dataclass(frozen=True)
class SweepSpool(SpoolOrder):
    """Delete spool files that no recording needs."""

    kind: ClassVar[str] = "upkeep.sweep_spool"
    max_attempts: ClassVar[int] = 2


@dataclass(frozen=True)
class SealUploads(SpoolOrder):
    """End the resumable uploads that nobody continues."""

    kind: ClassVar[str] = "uploads.seal"
    # A recording whose browser tab crashed should become visible soon.
    priority: ClassVar[int] = 3


@dataclass(frozen=True)
class PruneLedger(RoutineOrder):
    """Delete finished jobs, idempotency keys and messages past their retention."""

    kind: ClassVar[str] = "upkeep.prune_ledger"


@dataclass(frozen=True)
class SweepPeople(RoutineOrder):
    """Compare the people that were read from the platform with what it says now."""

    kind: ClassVar[str] = "upkeep.sweep_people"


@dataclass(frozen=True)
class PullPlatform(LongOrder, RoutineOrder):
    """Bring the rows imported from the platform up to date.

    The first job reads all of them. What it has stored stays, and the next job continues.
    """

    kind: ClassVar[str] = "upkeep.pull_platform"


@dataclass(frozen=True)
class AdvanceLessons(RoutineOrder):
    """Update the status of lessons that have begun or ended, and close whiteboard sessions left running."""

    kind: ClassVar[str] = "schedules.advance"
    # A status that people see should not wait for a long nightly fill.
    priority: ClassVar[int] = 3


@dataclass(frozen=True)
class FillSeries(RoutineOrder):
    """Store the lessons of active series up to the horizon, by the current time zone rules."""

    kind: ClassVar[str] = "schedules.fill"


@dataclass(frozen=True)
class SendOverdue(RoutineOrder):
    """Send due messages that no dispatcher has claimed."""

    kind: ClassVar[str] = "reminders.send_overdue"
    priority: ClassVar[int] = 3

    @property
    def queue(self) -> str:
        return "reminders"

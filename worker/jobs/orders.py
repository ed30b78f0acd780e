"""Every order of this application, with its queue, lane and limits."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from worker.jobs.order import REGISTERED, Order, RoutineOrder

# The lane of jobs that may take minutes and that nobody waits for on screen.
BACKGROUND = "background"


def read_order(kind: str, args: dict[str, Any]) -> Order:
    """The order stored under `kind`; KeyError for a kind this release does not know."""
    return REGISTERED[kind].from_args(args)


def order_type(kind: str) -> type[Order] | None:
    """The class of orders of this kind; None for a kind this release does not know."""
    return REGISTERED.get(kind)


def media_time_limit(size_bytes: int) -> int:
    """Seconds for one pass over a recording: a minute, and a second for each megabyte.

    A lesson is 1 to 20 MB a minute and a stream copy runs a thousand times faster than it plays, so in practice this is
    time for a slow connection to B2.
    """
    return 60 + size_bytes // 1_000_000


def encoding_time_limit(size_bytes: int) -> int:
    """Seconds that encoding a recording may take where its tracks cannot be copied (worker/media/encode.py)."""
    return min(1800, 120 + size_bytes // 50_000)


@dataclass(frozen=True)
class RecordingOrder(Order):
    """Work on a recording's uploaded bytes, on the machine that spooled them; one job of each kind at a time."""

    # Ten attempts outlast a B2 outage of an hour and a half.
    max_attempts: ClassVar[int] = 10
    # A file that makes the kernel kill its worker does so each time.
    most_lost: ClassVar[int] = 4

    recording_id: int
    session_id: int
    spool_id: str
    size_bytes: int

    @property
    def queue(self) -> str:
        return f"media.{self.spool_id}"

    @property
    def weight(self) -> int:
        return self.size_bytes

    @property
    def time_limit(self) -> int:
        return media_time_limit(self.size_bytes)

    @property
    def subject(self) -> str:
        return f"recording:{self.recording_id}"

    @property
    def unique_key(self) -> str:
        return f"{self.kind}:{self.recording_id}"


@dataclass(frozen=True)
class IngestRecording(RecordingOrder):
    """Make the recording playable: probe, fast copy, poster, row."""

    kind: ClassVar[str] = "recordings.ingest"
    priority: ClassVar[int] = 2

    @property
    def time_limit(self) -> int:
        return media_time_limit(self.size_bytes) + encoding_time_limit(self.size_bytes)


@dataclass(frozen=True)
class StoreSource(RecordingOrder):
    """Store the uploaded bytes unchanged in B2, then delete the spool file."""

    kind: ClassVar[str] = "recordings.store_source"

    @property
    def lane(self) -> str:
        return BACKGROUND


@dataclass(frozen=True)
class RemoveRecordingFiles(Order):
    """Delete from B2 what a deleted recording or a failed ingest left there, and its spool file, if one is named."""

    kind: ClassVar[str] = "recordings.remove_files"
    max_attempts: ClassVar[int] = 10

    recording_id: int
    session_id: int
    spool_id: str
    spool_name: str | None

    @property
    def queue(self) -> str:
        return f"media.{self.spool_id}"

    @property
    def subject(self) -> str:
        return f"recording:{self.recording_id}"


@dataclass(frozen=True)
class SnapshotOrder(Order):
    """Pictures of a whiteboard: CPU work that any media worker can do.

    `asked_by` is the principal who follows the job; None when the timetable ordered it. Each principal has a separate
    job, since nobody may see another's.
    """

    asked_by: str | None = field(default=None, kw_only=True)

    @property
    def queue(self) -> str:
        return "media"

    @property
    def unique_key(self) -> str:
        return f"{self.kind}:{self.subject}:{self.asked_by or ''}"


@dataclass(frozen=True)
class SnapshotPage(SnapshotOrder):
    """Draw the page, unless its stored pictures are current."""

    kind: ClassVar[str] = "canvases.snapshot_page"

    page_id: int

    @property
    def subject(self) -> str:
        return f"page:{self.page_id}"


@dataclass(frozen=True)
class SnapshotSession(SnapshotOrder):
    """Draw every changed page of the session, and its PDF document."""

    kind: ClassVar[str] = "canvases.snapshot_session"
    # Ten attempts outlast a B2 outage of an hour and a half.
    max_attempts: ClassVar[int] = 10

    session_id: int

    @property
    def lane(self) -> str:
        return BACKGROUND

    @property
    def time_limit(self) -> int:
        # Two hundred pages over a slow connection. Pages stored before the timeout stay, and the next attempt
        # continues.
        return 1800

    @property
    def subject(self) -> str:
        return f"session:{self.session_id}"


@dataclass(frozen=True)
class SnapshotChanged(RoutineOrder):
    """Order pictures of pages that changed in running sessions, and of late changes to sessions that just ended."""

    kind: ClassVar[str] = "canvases.snapshot_changed"


@dataclass(frozen=True)
class ReplayBoard(Order):
    """Render the board of a session as a film and upload it as a recording; on the machine whose spool receives it.

    `asked_by` is the principal who follows the job, `recorded_by` the same as a user's id, if it is one.
    """

    kind: ClassVar[str] = "canvases.replay"

    session_id: int
    spool_id: str
    shorten_idle: bool
    asked_by: str
    recorded_by: int | None

    @property
    def queue(self) -> str:
        return f"media.{self.spool_id}"

    @property
    def lane(self) -> str:
        return BACKGROUND

    @property
    def time_limit(self) -> int:
        # Six hours of drawing, on a machine that has other work as well.
        return 1800

    @property
    def subject(self) -> str:
        return f"session:{self.session_id}"

    @property
    def unique_key(self) -> str:
        return f"{self.kind}:{self.session_id}:{'short' if self.shorten_idle else 'full'}:{self.asked_by}"


@dataclass(frozen=True)
class SweepObjects(RoutineOrder):
    """Delete objects below our prefixes that no row names, and unfinished large files."""

    kind: ClassVar[str] = "upkeep.sweep_objects"


@dataclass(frozen=True)
class SweepSpool(Order):
    """Delete spool files that no recording waits for."""

    kind: ClassVar[str] = "upkeep.sweep_spool"
    max_attempts: ClassVar[int] = 2

    spool_id: str

    @property
    def queue(self) -> str:
        return f"media.{self.spool_id}"

    @property
    def unique_key(self) -> str:
        return f"{self.kind}:{self.spool_id}"


@dataclass(frozen=True)
class PruneLedger(RoutineOrder):
    """Delete finished jobs, idempotency keys and messages past their retention."""

    kind: ClassVar[str] = "upkeep.prune_ledger"


@dataclass(frozen=True)
class SweepPeople(RoutineOrder):
    """Compare the people that were read from the platform with what it says now."""

    kind: ClassVar[str] = "upkeep.sweep_people"


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

"""Orders of pictures and replays of whiteboards."""

from dataclasses import dataclass, field
from typing import ClassVar

from worker.jobs.orders.order import BACKGROUND, LongOrder, Order, RoutineOrder
from worker.queue_names import spool_queue


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
class SnapshotSession(LongOrder, SnapshotOrder):
    """Draw every changed page of the session, and its PDF document.

    There may be two hundred pages and a slow connection. Pages stored before the timeout stay, and the next attempt
    continues.
    """

    kind: ClassVar[str] = "canvases.snapshot_session"
    # Ten attempts outlast a B2 outage of an hour and a half.
    max_attempts: ClassVar[int] = 10

    session_id: int

    @property
    def subject(self) -> str:
        return f"session:{self.session_id}"


@dataclass(frozen=True)
class SnapshotChanged(RoutineOrder):
    """Order pictures of pages that changed in running sessions, and of late changes to sessions that just ended."""

    kind: ClassVar[str] = "canvases.snapshot_changed"


@dataclass(frozen=True)
class ReplayBoard(LongOrder):
    """Render the board of a session as a film and upload it as a recording, on the machine whose spool receives it.

    `asked_by` is the principal who follows the job, `recorded_by` the same as a user's id, if it is a user. `voice_id`
    is the recording whose ingest ordered the film and `voice_sha1` the SHA-1 of its bytes; both are None when a person
    ordered it.
    """

    # The default time limit is enough for a board of six hours, on a machine that has other work as well.
    kind: ClassVar[str] = "canvases.replay"

    session_id: int
    spool_id: str
    shorten_idle: bool
    asked_by: str
    recorded_by: int | None
    voice_id: int | None = None
    voice_sha1: str | None = None

    @property
    def queue(self) -> str:
        return spool_queue(self.spool_id)

    @property
    def subject(self) -> str:
        return f"session:{self.session_id}"

    @property
    def unique_key(self) -> str:
        key = f"{self.kind}:{self.session_id}:{'short' if self.shorten_idle else 'full'}:{self.asked_by}"
        # Separate keys: a film that is already being made would lack a voice that arrives in the meantime.
        return key if self.voice_id is None else f"{key}:{self.voice_id}:{self.voice_sha1}"


@dataclass(frozen=True)
class DrawRecordingBoard(Order):
    """Draw the board stored with a recording that has no file, so that there is something to show."""

    kind: ClassVar[str] = "canvases.draw_recording"
    max_attempts: ClassVar[int] = 10

    recording_id: int

    @property
    def queue(self) -> str:
        return "media"

    @property
    def lane(self) -> str:
        return BACKGROUND

    @property
    def time_limit(self) -> int:
        return 600

    @property
    def subject(self) -> str:
        return f"recording:{self.recording_id}"

    @property
    def unique_key(self) -> str:
        return f"{self.kind}:{self.recording_id}"

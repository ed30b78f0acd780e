"""Orders that make something new from stored recordings: one lesson from several, or one .html file."""

from dataclasses import dataclass
from typing import ClassVar

from worker.jobs.orders.order import BACKGROUND, Order
from worker.queue_names import spool_queue


@dataclass(frozen=True)
class CombineRecordings(Order):
    """Make one lesson from a session's recordings, on the machine whose spool receives it.

    `seconds` is how long the lesson will last. `asked_by` is the principal who follows the job, `recorded_by` the same
    as a user's id, if it is a user.
    """

    kind: ClassVar[str] = "recordings.combine"

    session_id: int
    spool_id: str
    seconds: int
    asked_by: str
    recorded_by: int | None

    @property
    def queue(self) -> str:
        return spool_queue(self.spool_id)

    @property
    def lane(self) -> str:
        return BACKGROUND

    @property
    def time_limit(self) -> int:
        # Decoding and encoding take a quarter of this on two cores; the rest is for the downloads from B2.
        return 1800 + 2 * self.seconds

    @property
    def subject(self) -> str:
        return f"session:{self.session_id}"

    @property
    def unique_key(self) -> str:
        return f"{self.kind}:{self.session_id}:{self.asked_by}"


@dataclass(frozen=True)
class PackLesson(Order):
    """Make one .html file of a recording, in one language; any media worker can.

    `digest` is the hash of everything that the file holds. `asked_by` is the principal who follows the job.
    """

    kind: ClassVar[str] = "recordings.pack"

    recording_id: int
    language: str
    digest: str
    asked_by: str

    @property
    def queue(self) -> str:
        return "media"

    @property
    def time_limit(self) -> int:
        # Making it takes seconds; the rest is for downloading the sound and uploading the file.
        return 600

    @property
    def subject(self) -> str:
        return f"recording:{self.recording_id}"

    @property
    def unique_key(self) -> str:
        return f"{self.kind}:{self.recording_id}:{self.language}:{self.digest}:{self.asked_by}"

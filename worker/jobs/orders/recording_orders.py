"""Orders for recordings: ingest, upload of the source, and deletion of files."""

from dataclasses import dataclass
from typing import ClassVar

from worker.jobs.orders.order import BACKGROUND, Order
from worker.queue_names import spool_queue


def media_time_limit(size_bytes: int) -> int:
    """Seconds for one pass over a recording: a minute, and a second for each megabyte.

    A lesson is 1 to 20 MB a minute and a stream copy runs a thousand times faster than real time, so in practice this
    is time for a slow connection to B2.
    """
    return 60 + size_bytes // 1_000_000


def encoding_time_limit(size_bytes: int) -> int:
    """Seconds for encoding a recording whose tracks cannot be copied (worker/media/copying/encode.py)."""
    return min(1800, 120 + size_bytes // 50_000)


@dataclass(frozen=True)
class RecordingOrder(Order):
    """Work on a recording's uploaded bytes, on the machine whose spool has them; one live job of each kind."""

    # Ten attempts outlast a B2 outage of an hour and a half.
    max_attempts: ClassVar[int] = 10
    # A file that makes the kernel kill its worker would do so every time.
    most_lost: ClassVar[int] = 4

    recording_id: int
    session_id: int
    spool_id: str
    size_bytes: int
    # How many times the bytes had been extended (worker/recordings/ingest/extend.py).
    version: int = 0

    @property
    def queue(self) -> str:
        return spool_queue(self.spool_id)

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
        # A job on fewer bytes must not stand in for one on all of them.
        return f"{self.kind}:{self.recording_id}{f':{self.version}' if self.version else ''}"


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
class RestoreRecording(RecordingOrder):
    """Fetch the bytes of an adopted recording from B2 into the spool, and ingest them again."""

    kind: ClassVar[str] = "recordings.restore"

    # The uploaded bytes, or the fast copy if B2 does not have them.
    object_name: str = ""


@dataclass(frozen=True)
class FillRows(Order):
    """Fill the pending rows of a recording from its fast copy on B2; any media worker can.

    The rows say what is pending, so more may be ordered while the job runs.
    """

    # Ten attempts outlast a B2 outage of an hour and a half.
    max_attempts: ClassVar[int] = 10
    most_lost: ClassVar[int] = 4

    recording_id: int
    session_id: int
    # The length of the recording.
    seconds: int
    # How many times the bytes had been extended (worker/recordings/ingest/extend.py).
    version: int = 0

    @property
    def queue(self) -> str:
        return "media"

    @property
    def lane(self) -> str:
        return BACKGROUND

    @property
    def subject(self) -> str:
        return f"recording:{self.recording_id}"

    @property
    def unique_key(self) -> str:
        return f"{self.kind}:{self.recording_id}:{self.version}"


@dataclass(frozen=True)
class MakeRenditions(FillRows):
    """Make the pending renditions."""

    kind: ClassVar[str] = "recordings.renditions"
    # After jobs whose results the same person needs sooner.
    priority: ClassVar[int] = 7

    @property
    def weight(self) -> int:
        # Encoding a second takes as long as storing two megabytes. A source of up to 4 Mbit/s is stored while a lesson
        # of the same length is encoded.
        return self.seconds * 2_000_000

    @property
    def time_limit(self) -> int:
        # Four seconds per second of recording happen on a machine with much other work; the rest is for the download.
        return 900 + 5 * self.seconds


@dataclass(frozen=True)
class MakePictures(FillRows):
    """Make those of the posters, the storyboard, the preview and the map of quiet parts that are pending.

    `size_bytes` is the size of the fast copy.
    """

    kind: ClassVar[str] = "recordings.pictures"

    size_bytes: int = 0

    @property
    def weight(self) -> int:
        return self.size_bytes

    @property
    def time_limit(self) -> int:
        # Where key frames are rare, all frames are decoded, several times faster than real time.
        return 300 + self.seconds + media_time_limit(self.size_bytes)


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
        # Without a spool file any machine can do it: the one that received the upload may be gone by then.
        return "media" if self.spool_name is None else spool_queue(self.spool_id)

    @property
    def subject(self) -> str:
        return f"recording:{self.recording_id}"

"""One attempt to make renditions: the fast copy, the files, and whether the recording still has the same bytes."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sqlalchemy.orm import Session

from worker.jobs.orders.recording_orders import MakeRenditions
from worker.jobs.runs.job_run import JobRun
from worker.media.errors import FfmpegFailed, FfmpegTimeout, OutputDamaged
from worker.media.probing.packet_reading import probe
from worker.media.renditions.write_renditions import FastCopyFile
from worker.recordings.outputs.rendition_rows import FastCopy
from worker.recordings.source import lock_recording, playback_version_of
from worker.workflows.context import WorkerContext

# Errors of one rendition while others may succeed; everything else ends the attempt.
OWN_FAULTS = (FfmpegFailed, FfmpegTimeout, OutputDamaged)


class RecordingReplaced(Exception):
    """The recording was deleted, or its bytes were extended: another job makes its current renditions."""


@dataclass
class Rendering:
    """One attempt: the fast copy, the folder of its files, and the state of each rendition that was written."""

    run: JobRun
    order: MakeRenditions
    context: WorkerContext
    folder: Path
    fast_copy: FastCopy
    outcome: dict[str, str] = field(default_factory=dict)

    @cached_property
    def fast_copy_file(self) -> FastCopyFile:
        """The fast copy, downloaded when first needed: `hls` and `download` are made from other renditions."""
        self.run.progress(1, "fetching the recording")
        self.context.spool.require_space(2 * self.fast_copy.bytes)
        path = self.folder / "playback"
        self.context.store.download(self.fast_copy.object_name, path, sha1=self.fast_copy.sha1)
        return FastCopyFile(path, probe(path, self.context.binaries, should_stop=self.run.should_stop))

    def path(self, name: str) -> Path:
        """Where the file of this rendition is written."""
        return self.folder / f"rendition-{name}"


def require_current(session: Session, order: MakeRenditions) -> None:
    """Lock the recording. Raises RecordingReplaced unless it still has the bytes that the order is about."""
    recording = lock_recording(session, order.recording_id)
    if recording is None or not recording.is_available or playback_version_of(recording) != order.version:
        raise RecordingReplaced

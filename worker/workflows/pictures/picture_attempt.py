"""One attempt to make the pictures of a recording: what they are made from, and where its files are."""

from dataclasses import dataclass
from pathlib import Path

from worker.canvases.replay.timeline import ReplayTimeline
from worker.errors import InvalidInput
from worker.jobs.runs.job_run import JobRun
from worker.media.decoding.sampling import Film, film_of
from worker.media.errors import FfmpegFailed, FfmpegTimeout, MediaRejected, OutputDamaged
from worker.media.probing.header import read_header
from worker.recordings.outputs.pictures import PicturedRecording
from worker.workflows.context import WorkerContext

# Faults of this recording, which no retry can fix; everything else fails the attempt.
PICTURE_FAULTS = (FfmpegFailed, FfmpegTimeout, MediaRejected, OutputDamaged, InvalidInput)


@dataclass(frozen=True)
class PictureAttempt:
    """The run, its dependencies, the recording, and the folder, which is deleted at the end."""

    run: JobRun
    context: WorkerContext
    recording: PicturedRecording
    folder: Path

    @property
    def playback(self) -> Path:
        """Where the fast copy is once it is downloaded."""
        return self.folder / "playback"

    @property
    def activity(self) -> Path:
        """Where the map of quiet parts is, once it is made."""
        return self.folder / "activity.json"

    def fetch(self, timeline: ReplayTimeline | None) -> None:
        """Download the fast copy, unless the recording is nothing but its strokes."""
        recording = self.recording
        if timeline is None or recording.has_sound:
            self.run.progress(20, "fetching the film")
            name, sha1 = recording.playback.object_name or "", recording.playback.sha1
            self.context.store.download(name, self.playback, sha1=sha1)

    def film(self) -> Film | None:
        """The downloaded film, None if the recording has only sound."""
        recording = self.recording
        if recording.size is None:
            return None
        header = read_header(self.playback, self.context.binaries, should_stop=self.run.should_stop)
        return film_of(self.playback, header, recording.size, recording.duration_ms)

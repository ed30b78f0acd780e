"""Recordings: make them playable, store their source, remove their files."""

from worker.jobs.orders.lesson_orders import CombineRecordings, PackLesson
from worker.jobs.orders.recording_orders import (
    IngestRecording,
    MakePictures,
    MakeRenditions,
    RemoveRecordingFiles,
    RestoreRecording,
    StoreSource,
)
from worker.jobs.runs.job_run import JobRun
from worker.processes.child import performs
from worker.workflows.context import WorkerContext
from worker.workflows.films import combine_recordings
from worker.workflows.pictures import make_pictures
from worker.workflows.recordings import ingest_recording as ingesting
from worker.workflows.recordings import pack_lesson, remove_files, restore_recording, store_source
from worker.workflows.renditions import make_renditions


@performs(IngestRecording)
def ingest(run: JobRun, order: IngestRecording, context: WorkerContext) -> None:
    """Make a recording playable: probe, fast copy, poster, row."""
    ingesting.ingest_recording(run, order, context)


@performs(StoreSource)
def store(run: JobRun, order: StoreSource, context: WorkerContext) -> None:
    """Store the uploaded bytes unchanged on B2."""
    store_source.store_source(run, order, context)


@performs(MakeRenditions)
def render(run: JobRun, order: MakeRenditions, context: WorkerContext) -> None:
    """Make the pending renditions of a recording."""
    make_renditions.make_renditions(run, order, context)


@performs(MakePictures)
def pictures(run: JobRun, order: MakePictures, context: WorkerContext) -> None:
    """Make the pictures of a playable recording."""
    make_pictures.make_pictures(run, order, context)


@performs(RestoreRecording)
def restore(run: JobRun, order: RestoreRecording, context: WorkerContext) -> None:
    """Fetch an adopted recording from B2 and ingest it again."""
    restore_recording.restore_recording(run, order, context)


@performs(RemoveRecordingFiles)
def remove(run: JobRun, order: RemoveRecordingFiles, context: WorkerContext) -> None:
    """Remove objects and spool file of a deleted or failed recording."""
    remove_files.remove_recording_files(run, order, context)


@performs(CombineRecordings)
def combine(run: JobRun, order: CombineRecordings, context: WorkerContext) -> None:
    """Make one lesson from the recordings of a session."""
    combine_recordings.combine_recordings(run, order, context)


@performs(PackLesson)
def pack(run: JobRun, order: PackLesson, context: WorkerContext) -> None:
    """Make one .html file of a recording."""
    pack_lesson.pack_lesson(run, order, context)

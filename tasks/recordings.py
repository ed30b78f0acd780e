"""Recordings: make them playable, keep their source, remove what is left of them."""

from worker.jobs.job_run import JobRun
from worker.jobs.orders import IngestRecording, RemoveRecordingFiles, StoreSource
from worker.processes.child import performs
from worker.workflows import ingest_recording as ingesting
from worker.workflows import remove_files, store_source
from worker.workflows.context import WorkerContext


@performs(IngestRecording)
def ingest(run: JobRun, order: IngestRecording, tools: WorkerContext) -> None:
    """Probe, fast copy, poster, row."""
    ingesting.ingest_recording(run, order, tools)


@performs(StoreSource)
def store(run: JobRun, order: StoreSource, tools: WorkerContext) -> None:
    """The uploaded bytes to B2, as they came."""
    store_source.store_source(run, order, tools)


@performs(RemoveRecordingFiles)
def remove(run: JobRun, order: RemoveRecordingFiles, tools: WorkerContext) -> None:
    """Objects and spool file of a recording that is no more."""
    remove_files.remove_recording_files(run, order, tools)

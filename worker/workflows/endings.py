"""Which ending belongs to which order: handed to everything that can end a job."""

from worker.jobs.endings import Endings
from worker.jobs.orders import IngestRecording, StoreSource
from worker.recordings.endings import ingest_ended, store_ended

ENDINGS: Endings = {IngestRecording: ingest_ended, StoreSource: store_ended}

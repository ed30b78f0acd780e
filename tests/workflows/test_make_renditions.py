"""From the fast copy to the renditions for slow links, with real ffmpeg."""

from pathlib import Path
from typing import Any

import pytest

from devstack.emulator.credentials import Credentials
from tests.conftest import MakeSettings
from tests.workflows.conftest import RecordingFixture, Versions
from worker.database import Database
from worker.jobs.recording_orders import IngestRecording, MakeRenditions
from worker.workflows.context import WorkerContext
from worker.workflows.make_renditions import make_renditions

ALL = ("audio", "audio-aac", "board", "360p", "720p", "hls", "download")
DATA = Path(__file__).parent.parent / "data"


@pytest.fixture
def context(settings: MakeSettings, database: Database, b2: Credentials) -> WorkerContext:
    context = WorkerContext(settings(spool_reserve_bytes=0, renditions=ALL), database)
    context.store.prepare_bucket()
    return context


def rows(recordings: RecordingFixture, recording_id: int) -> dict[str, Any]:
    found = recordings.sql("SELECT * FROM recording_renditions WHERE recording_id = :id", id=recording_id)
    return {row.name: row for row in found}


def ingest(recordings: RecordingFixture, content: bytes, **changes: Any) -> int:
    recording_id = recordings.arrive(content, **changes)
    assert recordings.perform(IngestRecording, recording_id).state == "succeeded"
    return recording_id


def make(recordings: RecordingFixture, recording_id: int, **changes: Any) -> Any:
    return recordings.perform(MakeRenditions, recording_id, make_renditions, **changes)


def test_a_camera_gets_each_rendition_verified_on_b2(recordings: RecordingFixture, versions: Versions) -> None:
    recording_id = ingest(recordings, (DATA / "h264.webm").read_bytes())
    pending = {name for name, row in rows(recordings, recording_id).items() if row.state == "pending"}

    job = make(recordings, recording_id)

    made = rows(recordings, recording_id)
    assert job.state == "succeeded", job.error
    assert pending == {"source", *job.result["renditions"]}
    assert {made[name].state for name in job.result["renditions"]} == {"ready"}, {n: r.reason for n, r in made.items()}
    stored = versions()
    for name in pending - {"source", "hls"}:
        assert (made[name].object_name, made[name].file_id) in stored

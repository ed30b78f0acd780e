"""The pictures of a recording: each a row of its own, on B2, from the fast copy."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devstack.emulator.credentials import Credentials
from tests.conftest import MakeSettings
from tests.workflows.conftest import DATA, RecordingFixture, Versions, WithFfmpeg
from worker.database import Database
from worker.jobs.recording_orders import IngestRecording, MakePictures, RemoveRecordingFiles
from worker.media.frame_capture import jpeg_size
from worker.media.preview import picture_count
from worker.workflows.context import WorkerContext
from worker.workflows.delete_recording import delete_recording

POSTERS = {f"poster-{size}{form}" for size in (320, 640, 1280) for form in ("", "-webp")}


@pytest.fixture
def context(settings: MakeSettings, database: Database, b2: Credentials) -> WorkerContext:
    context = WorkerContext(settings(spool_reserve_bytes=0, renditions=("pictures",)), database)
    context.store.prepare_bucket()
    return context


@pytest.fixture
def film(recordings: RecordingFixture) -> int:
    """A recording of a real Chromium, 1280x720, that was ingested."""
    recording_id = recordings.arrive((DATA / "h264.webm").read_bytes())
    assert recordings.perform(IngestRecording, recording_id).state == "succeeded"
    return recording_id


def rows_of(recordings: RecordingFixture, recording_id: int) -> dict[str, Any]:
    rows = recordings.sql("SELECT * FROM recording_renditions WHERE recording_id = :id", id=recording_id)
    return {row.name: row for row in rows}


@pytest.fixture
def fetch(context: WorkerContext, tmp_path: Path) -> Callable[[Any], Path]:
    """`fetch(row)`: the object of a row, checked against its SHA-1."""

    def download(row: Any) -> Path:
        path = tmp_path / row.name
        context.store.download(row.object_name, path, sha1=row.sha1)
        assert path.stat().st_size == row.bytes
        return Path(path)

    return download


def test_a_film_gets_its_pictures(recordings: RecordingFixture, film: int, fetch: Callable[[Any], Path]) -> None:
    job = recordings.perform(MakePictures, film)

    assert job.state == "succeeded", job.error
    rows = rows_of(recordings, film)
    assert {*POSTERS, "storyboard", "preview"} <= rows.keys()
    assert {row.state for name, row in rows.items() if name != "source"} == {"ready"}
    for name in POSTERS:
        row, data = rows[name], fetch(rows[name]).read_bytes()
        assert (row.width, row.height) == (int(name.split("-")[1]), int(name.split("-")[1]) * 9 // 16)
        assert row.mime == ("image/webp" if name.endswith("webp") else "image/jpeg")
        assert data[8:12] == b"WEBP" if name.endswith("webp") else data[:2] == b"\xff\xd8"
    sheet = rows["storyboard"]
    assert jpeg_size(fetch(sheet)) == (sheet.width, sheet.height) == (1600, 90)
    preview = rows["preview"]
    assert (preview.width, preview.height) == (320, 180)
    assert picture_count(fetch(preview)) > 2


def test_the_job_again_uploads_nothing_and_changes_nothing(
    recordings: RecordingFixture, film: int, versions: Versions
) -> None:
    assert recordings.perform(MakePictures, film).state == "succeeded"
    before, rows = versions(), rows_of(recordings, film)
    recordings.sql("UPDATE jobs SET state = 'queued', finished_at = NULL WHERE kind = 'recordings.pictures'")
    assert recordings.perform(MakePictures, film).state == "succeeded"
    assert versions() == before
    assert {name: row.object_name for name, row in rows_of(recordings, film).items()} == {
        name: row.object_name for name, row in rows.items()
    }


def test_a_picture_that_fails_takes_no_other_with_it(
    recordings: RecordingFixture, film: int, with_ffmpeg: WithFfmpeg
) -> None:
    broken = with_ffmpeg('case "$*" in *tile=*) echo "no tiles today" >&2; exit 1;; *) exec $FFMPEG "$@";; esac')
    job = recordings.perform(MakePictures, film, context=broken)

    assert job.state == "succeeded", job.error
    rows = rows_of(recordings, film)
    assert (rows["storyboard"].state, rows["storyboard"].object_name) == ("failed", None)
    assert "no tiles today" in rows["storyboard"].reason
    assert {rows[name].state for name in (*POSTERS, "preview", "playback", "poster")} == {"ready"}


def test_a_deleted_recording_takes_its_pictures_with_it(
    recordings: RecordingFixture, film: int, versions: Versions
) -> None:
    assert recordings.perform(MakePictures, film).state == "succeeded"
    with recordings.database.transaction() as session:
        delete_recording(session, film, principal="user:1")
    assert recordings.perform(RemoveRecordingFiles, film).state == "succeeded"
    assert versions() == []


def test_a_recording_deleted_meanwhile_gets_no_row(
    recordings: RecordingFixture, context: WorkerContext, film: int
) -> None:
    with recordings.database.transaction() as session:
        job = recordings.due(MakePictures, film)
        delete_recording(session, film, principal="user:1")
    assert recordings.job(job).state == "cancelled"
    assert rows_of(recordings, film) == {}

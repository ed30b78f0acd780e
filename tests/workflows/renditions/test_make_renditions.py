"""From the fast copy to the renditions for slow links, with real ffmpeg."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from devstack.emulator.credentials import Credentials
from models.recordings import Recording
from tests.conftest import MakeSettings
from tests.waiting import TIMEOUT
from tests.workflows.conftest import HeldFfmpeg, RecordingFixture, Versions, WithFfmpeg
from worker.database import Database
from worker.jobs.orders.recording_orders import IngestRecording, MakeRenditions, RemoveRecordingFiles, StoreSource
from worker.jobs.runs.cancel import cancel_job, retry_job
from worker.jobs.runs.job_run import JobRun
from worker.jobs.runs.run_statements import LeaseLost
from worker.recordings.outputs.order_renditions import order_renditions
from worker.recordings.texts.chapters import Chapter, set_chapters
from worker.workflows.context import WorkerContext
from worker.workflows.recordings.delete_recording import delete_recording
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS
from worker.workflows.renditions.make_renditions import make_renditions
from worker.workflows.renditions.renew_download import renew_download

ALL = ("audio", "audio-aac", "board", "360p", "720p", "hls", "download")
DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def context(settings: MakeSettings, database: Database, b2: Credentials) -> WorkerContext:
    context = WorkerContext(settings(spool_reserve_bytes=0, renditions=ALL), database)
    context.store.prepare_bucket()
    return context


def rows(recordings: RecordingFixture, recording_id: int) -> dict[str, Any]:
    renditions = recordings.sql("SELECT * FROM recording_renditions WHERE recording_id = :id", id=recording_id)
    return {row.name: row for row in renditions}


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

    after = rows(recordings, recording_id)
    assert job.state == "succeeded", job.error
    assert pending == {"source", *job.result["renditions"]}
    assert {after[name].state for name in job.result["renditions"]} == {"ready"}, {
        n: r.reason for n, r in after.items()
    }
    stored = versions()
    for name in pending - {"source", "hls"}:
        assert (after[name].object_name, after[name].file_id) in stored


def test_sound_alone_gets_sounds(recordings: RecordingFixture, sample: bytes) -> None:
    recording_id = ingest(recordings, sample, type="board")

    job = make(recordings, recording_id)

    assert job.result == {"renditions": dict.fromkeys(("audio", "audio-aac", "hls", "download"), "ready")}
    after = rows(recordings, recording_id)
    assert (after["audio"].mime, after["audio"].codecs, after["audio"].segments) == ("audio/webm", "opus", None)
    assert after["audio-aac"].segments["parts"]
    assert after["download"].mime == "audio/mp4"
    assert after["hls"].bytes == after["audio-aac"].bytes
    assert abs(after["audio"].duration_ms - after["playback"].duration_ms) <= 100


def test_a_rendition_that_fails_takes_no_other_with_it(
    recordings: RecordingFixture, with_ffmpeg: WithFfmpeg, sample: bytes
) -> None:
    recording_id = ingest(recordings, sample)
    broken = with_ffmpeg('case "$*" in *"c:a libopus"*) exit 1;; esac; exec "$FFMPEG" "$@"')

    job = make(recordings, recording_id, context=broken)

    assert job.state == "succeeded"
    after = rows(recordings, recording_id)
    assert (after["audio"].state, after["audio"].object_name) == ("failed", None)
    assert after["audio"].reason
    assert {after[name].state for name in ("audio-aac", "hls", "download")} == {"ready"}
    order(recordings, recording_id, "audio")
    assert make(recordings, recording_id).result == {"renditions": {"audio": "ready"}}


def test_another_attempt_makes_what_is_missing(
    recordings: RecordingFixture, held_ffmpeg: HeldFfmpeg, versions: Versions, sample: bytes
) -> None:
    recording_id = ingest(recordings, sample)
    run = recordings.begin(MakeRenditions, recording_id)

    job_lost = job_order(recordings, run)
    with held_ffmpeg.running("rendition-download", lambda held: make_renditions(run, job_lost, held)) as performed:
        recordings.lose(run)
    with pytest.raises(LeaseLost):
        performed.result()

    left = rows(recordings, recording_id)
    assert {left[name].state for name in ("audio", "audio-aac", "hls")} == {"ready"}
    assert left["download"].state == "pending"
    assert make(recordings, recording_id).result == {"renditions": {"download": "ready"}}
    after = rows(recordings, recording_id)
    assert (after["audio"].file_id, after["audio-aac"].file_id) == (left["audio"].file_id, left["audio-aac"].file_id)
    names = [name for name, _ in versions()]
    assert len(names) == len(set(names)) == 4


def test_what_is_ordered_meanwhile_is_made_by_the_same_job(
    recordings: RecordingFixture, held_ffmpeg: HeldFfmpeg, sample: bytes
) -> None:
    recording_id = ingest(recordings, sample)
    recordings.sql("DELETE FROM recording_renditions WHERE name IN ('audio-aac', 'hls', 'download')")

    with held_ffmpeg.running("rendition-audio", lambda held: make(recordings, recording_id, context=held)) as performed:
        order(recordings, recording_id, "audio-aac")

    job = performed.result()
    assert job.result == {"renditions": {"audio": "ready", "audio-aac": "ready"}}
    assert len(recordings.sql("SELECT 1 FROM jobs WHERE kind = 'recordings.renditions'")) == 1


def test_a_job_that_is_given_up_says_so_in_its_rows(recordings: RecordingFixture, sample: bytes) -> None:
    recording_id = ingest(recordings, sample)
    job_id = recordings.due(MakeRenditions, recording_id)
    with recordings.database.transaction() as session:
        cancel_job(session, FAILURE_HOOKS, job_id)

    assert {row.state for name, row in rows(recordings, recording_id).items() if name in ALL} == {"failed"}
    with recordings.database.transaction() as session:
        retry_job(session, job_id)
    assert set(make(recordings, recording_id).result["renditions"].values()) == {"ready"}


def test_changed_chapters_make_the_download_again_and_nothing_else(
    recordings: RecordingFixture, sample: bytes, tmp_path: Path
) -> None:
    recording_id = ingest(recordings, sample)
    make(recordings, recording_id)
    before = rows(recordings, recording_id)
    with recordings.database.transaction() as session:
        set_chapters(session, recording_id, "tutor", [Chapter(0, "መግቢያ"), Chapter(6000, "ክፍልፋዮች")])
    with recordings.database.transaction() as session:
        renew_download(session, recording_id, principal="user:1")
        renew_download(session, recording_id, principal="user:1")

    # It is made of other renditions; a job that fetched the fast copy would fail.
    recordings.context.store.delete(before["playback"].object_name)
    assert make(recordings, recording_id).result == {"renditions": {"download": "ready"}}

    after = rows(recordings, recording_id)
    changed = {name for name in after if after[name].object_name != before[name].object_name}
    assert changed == {"download"}
    file = tmp_path / "lesson.mp4"
    recordings.context.store.download(after["download"].object_name, file, sha1=after["download"].sha1)
    assert chapter_titles(recordings, file) == ["መግቢያ", "ክፍልፋዮች"]


def test_chapters_that_change_while_the_download_is_made_are_in_it(
    recordings: RecordingFixture, held_ffmpeg: HeldFfmpeg, sample: bytes, tmp_path: Path
) -> None:
    recording_id = ingest(recordings, sample)

    with (
        held_ffmpeg.running(
            "rendition-download", lambda held: make(recordings, recording_id, context=held)
        ) as performed,
        recordings.database.transaction() as session,
    ):
        set_chapters(session, recording_id, "tutor", [Chapter(0, "second")])

    assert performed.result().state == "succeeded"
    row, file = rows(recordings, recording_id)["download"], tmp_path / "lesson.mp4"
    recordings.context.store.download(row.object_name, file, sha1=row.sha1)
    assert chapter_titles(recordings, file) == ["second"]


def test_a_deleted_recording_takes_all_with_it(recordings: RecordingFixture, versions: Versions, sample: bytes) -> None:
    recording_id = ingest(recordings, sample)
    make(recordings, recording_id)
    run = recordings.begin(StoreSource, recording_id)
    with recordings.database.transaction() as session:
        delete_recording(session, recording_id, principal="user:1")

    # A job still works on it, and may upload more.
    assert recordings.perform(RemoveRecordingFiles, recording_id).state == "retryable"
    recordings.lose(run)
    assert recordings.perform(RemoveRecordingFiles, recording_id).state == "succeeded"
    assert versions() == []


def test_a_recording_that_is_deleted_while_it_is_rendered(
    recordings: RecordingFixture, versions: Versions, sample: bytes
) -> None:
    recording_id = ingest(recordings, sample)
    run = recordings.begin(MakeRenditions, recording_id)
    recordings.sql("DELETE FROM whiteboard_session_recordings WHERE id = :id", id=recording_id)

    make_renditions(run, job_order(recordings, run), recordings.context)

    assert recordings.job(run.claim.job_id).state == "succeeded"
    assert len(versions()) == 1


def order(recordings: RecordingFixture, recording_id: int, *names: str) -> None:
    with recordings.database.transaction() as session:
        recording = session.get_one(Recording, recording_id)
        order_renditions(session, recording, names, principal="user:1")


def job_order(recordings: RecordingFixture, run: JobRun) -> MakeRenditions:
    return MakeRenditions.from_args(recordings.job(run.claim.job_id).args)


def chapter_titles(recordings: RecordingFixture, path: Path) -> list[str]:
    words = [str(recordings.context.binaries.ffprobe), "-v", "error", "-show_chapters", "-of", "json", str(path)]
    listed = json.loads(subprocess.run(words, capture_output=True, check=True, timeout=TIMEOUT).stdout)["chapters"]
    return [chapter["tags"]["title"] for chapter in listed]

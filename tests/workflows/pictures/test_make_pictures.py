"""The pictures of a recording: each a row of its own, on B2, from the fast copy."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devstack.emulator.credentials import Credentials
from models.recordings import Recording
from tests.conftest import MakeSettings
from tests.waiting import TIMEOUT
from tests.workflows.conftest import DATA, TIMING, HeldFfmpeg, RecordingFixture, Versions, WithFfmpeg
from worker.database import Database
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.board_orders import ReplayBoard
from worker.jobs.orders.recording_orders import IngestRecording, MakePictures, RemoveRecordingFiles
from worker.jobs.runs.cancel import cancel_job, retry_job
from worker.jobs.runs.perform import Performer
from worker.media.decoding.frame_capture import jpeg_size
from worker.media.pictures.preview import picture_count
from worker.recordings.outputs.order_pictures import order_pictures, picture_rows
from worker.recordings.outputs.pictures import drop_pictures
from worker.workflows.context import WorkerContext
from worker.workflows.films.replay_board import replay_board
from worker.workflows.recordings.delete_recording import delete_recording
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS

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


def test_a_sound_alone_gets_the_map_of_its_quiet_parts(
    recordings: RecordingFixture, sample: bytes, fetch: Callable[[Any], Path]
) -> None:
    recording_id = recordings.arrive(sample)
    assert recordings.perform(IngestRecording, recording_id).state == "succeeded"

    job = recordings.perform(MakePictures, recording_id)

    assert (job.state, job.result) == ("succeeded", {"activity": "ready"})
    row = recordings.rendition(recording_id, "activity")
    assert row.mime == "application/json"
    document = json.loads(fetch(row).read_bytes())
    assert document["duration_ms"] == row.duration_ms == recordings.row(recording_id).recording_metadata["duration_ms"]
    assert document["quiet_ms"] == sum(end - start for start, end in document["quiet"])


@pytest.fixture
def replayed(recordings: RecordingFixture) -> int:
    """The film of a board on which a stroke is drawn at each of 0, 10 and 20 seconds."""
    spool_id = recordings.context.settings.spool_id
    recordings.sql(
        """
        WITH page AS (INSERT INTO whiteboard_pages (session_id, page_number) VALUES (:id, 1) RETURNING id)
        INSERT INTO whiteboard_canvas_data
               (page_id, session_id, stroke_type, stroke_data, stroke_order, started_at, ended_at, created_at)
        SELECT id, :id, 'pen', jsonb_build_object('color', '#000000', 'width', 60, 'points',
                   jsonb_build_array(jsonb_build_array(100, 200 * n), jsonb_build_array(1000, 200 * n))), n, at, at, at
          FROM page, generate_series(1, 3) n,
               LATERAL (SELECT timestamptz '2026-03-02 08:00Z' + n * interval '10 s') t(at)
        """,
        id=recordings.session_id,
    )
    order = ReplayBoard(recordings.session_id, spool_id, shorten_idle=False, asked_by="user:1", recorded_by=1)
    with recordings.database.transaction() as session:
        job_id = enqueue(session, order, principal="user:1")
    performer = Performer(recordings.database, "test", TIMING, 0.01, FAILURE_HOOKS)
    performer.perform(job_id, lambda run, order: replay_board(run, order, recordings.context))
    recording_id = int(recordings.job(job_id).result["recording_id"])
    assert recordings.perform(IngestRecording, recording_id).state == "succeeded"
    return recording_id


def test_a_film_of_strokes_is_not_decoded(
    recordings: RecordingFixture, replayed: int, with_ffmpeg: WithFfmpeg, fetch: Callable[[Any], Path]
) -> None:
    """The film itself is not even fetched: an ffmpeg that opens it would fail."""
    without = with_ffmpeg('case "$*" in *playback*) exit 1;; *) exec $FFMPEG "$@";; esac')
    job = recordings.perform(MakePictures, replayed, context=without)

    assert job.state == "succeeded", job.error
    rows = rows_of(recordings, replayed)
    assert {rows[name].state for name in (*POSTERS, "storyboard", "preview", "activity")} == {"ready"}
    length = rows["playback"].duration_ms
    assert rows["storyboard"].tiles["times_ms"] == list(range(0, length, 2000))
    assert jpeg_size(fetch(rows["storyboard"])) == (1600, 180)
    assert picture_count(fetch(rows["preview"])) > 1
    quiet = json.loads(fetch(rows["activity"]).read_bytes())["quiet"]
    # The film begins a second before the first stroke.
    assert [
        [pytest.approx(start, abs=700), pytest.approx(end, abs=700)]
        for start, end in ((1500, 10_500), (11_500, 20_500))
    ] == quiet[:2]


def test_a_board_that_has_changed_since_is_decoded_from_its_film(recordings: RecordingFixture, replayed: int) -> None:
    recordings.sql("UPDATE whiteboard_canvas_data SET stroke_data = jsonb_set(stroke_data, '{width}', '5')")
    assert recordings.perform(MakePictures, replayed).state == "succeeded"
    sheet = rows_of(recordings, replayed)["storyboard"]
    assert sheet.state == "ready"
    assert sheet.tiles["times_ms"][0] == 0


def test_strokes_that_are_about_to_be_stored_are_waited_for(recordings: RecordingFixture, replayed: int) -> None:
    again = ReplayBoard(recordings.session_id, "shared", shorten_idle=True, asked_by="user:1", recorded_by=1)
    with recordings.database.transaction() as session:
        enqueue(session, again, principal="user:1")
    job = recordings.perform(MakePictures, replayed)
    assert (job.state, job.error["code"]) == ("retryable", "replay-unfinished")


@pytest.fixture
def slides(context: WorkerContext, recordings: RecordingFixture, tmp_path: Path) -> int:
    """Seventy seconds: another slide at 35 s, where nobody speaks from 33 to 36 s."""
    picture = "color=white:s=320x180:r=5:d=70,drawbox=20:20:200:120:black:fill:enable='gte(t,35)'"
    sound = "aevalsrc='0.3*sin(500*2*PI*t)*(1-between(t,33,36))':s=48000:d=70"
    path = tmp_path / "slides.webm"
    inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound]
    vp8 = ["-c:v", "libvpx", "-threads", "1", "-deadline", "realtime", "-g", "5"]
    words = [*vp8, "-c:a", "libopus", "-f", "webm", "-live", "1"]
    command: list[str | Path] = [context.binaries.ffmpeg, "-v", "error", "-nostdin", *inputs, *words, path]
    subprocess.run(command, check=True, timeout=TIMEOUT)
    recording_id = recordings.arrive(path.read_bytes())
    assert recordings.perform(IngestRecording, recording_id).state == "succeeded"
    return recording_id


def test_a_film_without_a_board_has_chapters_where_its_scenes_change(recordings: RecordingFixture, slides: int) -> None:
    assert recordings.perform(MakePictures, slides).state == "succeeded"
    ((origin, chapters),) = recordings.sql("SELECT origin, chapters FROM recording_chapters")
    assert origin == "automatic"
    assert [chapter["title"] for chapter in chapters] == ["Part 1", "Part 2"]
    assert [chapter["start_ms"] for chapter in chapters] == [0, pytest.approx(35_000, abs=1000)]


def test_a_film_of_a_board_gets_no_chapters_of_scenes(recordings: RecordingFixture, replayed: int) -> None:
    before = recordings.sql("SELECT * FROM recording_chapters")
    assert recordings.perform(MakePictures, replayed).state == "succeeded"
    assert recordings.sql("SELECT * FROM recording_chapters") == before


def test_pictures_of_an_earlier_upload_are_dropped_with_its_fast_copy(recordings: RecordingFixture, film: int) -> None:
    assert recordings.perform(MakePictures, film).state == "succeeded"
    with recordings.database.transaction() as session:
        drop_pictures(session, film)
    assert rows_of(recordings, film).keys() == {"playback", "poster", "source"}


def test_pictures_that_are_ordered_later_are_made_and_no_others(recordings: RecordingFixture, film: int) -> None:
    assert recordings.perform(MakePictures, film).state == "succeeded"
    recordings.sql("DELETE FROM recording_renditions WHERE name IN ('storyboard', 'preview', 'poster-320')")
    order(recordings, film, "storyboard", "posters")
    order(recordings, film, "posters")

    job = recordings.perform(MakePictures, film)

    assert job.result == {**dict.fromkeys(POSTERS, "ready"), "storyboard": "ready"}
    rows = rows_of(recordings, film)
    assert {row.state for row in rows.values() if row.name != "source"} == {"ready"}
    assert "preview" not in rows


def test_pictures_that_are_ordered_meanwhile_are_made_by_the_same_job(
    recordings: RecordingFixture, film: int, held_ffmpeg: HeldFfmpeg
) -> None:
    recordings.sql("DELETE FROM recording_renditions WHERE name LIKE 'poster-%' OR name IN ('preview', 'activity')")

    with held_ffmpeg.running("tile=", lambda held: recordings.perform(MakePictures, film, context=held)) as performed:
        order(recordings, film, "preview")

    job = performed.result()
    assert job.result == {"storyboard": "ready", "preview": "ready"}
    assert len(recordings.sql("SELECT 1 FROM jobs WHERE kind = 'recordings.pictures'")) == 1


def test_a_job_that_is_given_up_says_so_in_each_of_its_rows(recordings: RecordingFixture, film: int) -> None:
    job_id = recordings.due(MakePictures, film)
    with recordings.database.transaction() as session:
        cancel_job(session, FAILURE_HOOKS, job_id)

    rows = rows_of(recordings, film)
    for name in (*POSTERS, "storyboard", "preview", "activity"):
        assert rows[name].state == "failed"
        assert rows[name].reason
    assert rows["playback"].state == "ready"
    with recordings.database.transaction() as session:
        retry_job(session, job_id)
    assert set(recordings.perform(MakePictures, film).result.values()) == {"ready"}


def order(recordings: RecordingFixture, recording_id: int, *names: str) -> None:
    with recordings.database.transaction() as session:
        recording = session.get_one(Recording, recording_id)
        rows = picture_rows(session, recording_id)
        order_pictures(session, recording, [row for name in names for row in rows[name]], principal="user:1")

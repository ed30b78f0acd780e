"""One lesson from several recordings: simultaneous pictures and sounds stay simultaneous."""

import json
import subprocess
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.waiting import TIMEOUT
from tests.workflows.conftest import TIMING, RecordingFixture
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.lesson_orders import CombineRecordings
from worker.jobs.orders.recording_orders import IngestRecording
from worker.jobs.runs.perform import JobNotDone, Performer
from worker.media.probing.recorded_time import RecordedStretch
from worker.recordings.films.combinable import Combinable
from worker.workflows.context import WorkerContext
from worker.workflows.films.combine_recordings import combine_recordings, plan_corners
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS

BEGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
# Twenty frames a second are looked at, and the film has fifteen.
APART = 0.2
RED, BLUE, GREEN, WHITE = "red", "blue", "lime", "white"
COLOURS = {RED: (255, 0, 0), BLUE: (0, 0, 255), GREEN: (0, 255, 0), WHITE: (255, 255, 255)}
# Pixels of the film: in the middle, and in the first and the second corner.
MIDDLE, FIRST, SECOND = (640, 300), (1100, 610), (1100, 420)

Record = Callable[..., int]


@pytest.fixture
def record(recordings: RecordingFixture, context: WorkerContext, tmp_path: Path) -> Record:
    """`record(type, at, seconds, colours, beep=…)`: a recording that began at this second, ingested; returns its id.

    It shows one colour, and from its third second on another (none: sound alone); its tone lasts 0.4 s.
    """

    def make(
        kind: str, at: float, seconds: float, colours: tuple[str, str] | None, *, beep: float | None, **changes: Any
    ) -> int:
        tone = f"aevalsrc='0.4*sin(2000*PI*t)*between(t,{beep},{(beep or 0) + 0.4})':s=48000:d={seconds}"
        sound = [] if beep is None else ["-f", "lavfi", "-i", tone]
        picture = []
        if colours is not None:
            first, then = (f"color=c={colour}:s=640x360:r=10" for colour in colours)
            picture = ["-f", "lavfi", "-i", f"{first}:d=3[a];{then}:d={seconds - 3}[b];[a][b]concat=n=2"]
        codecs = [
            "-c:v",
            "libvpx",
            "-threads",
            "1",
            "-deadline",
            "realtime",
            "-b:v",
            "500k",
            "-c:a",
            "libopus",
            "-b:a",
            "24k",
            "-ac",
            "1",
        ]
        path = tmp_path / "recording.webm"
        command: list[str | Path] = [
            context.binaries.ffmpeg,
            "-v",
            "error",
            "-nostdin",
            "-y",
            *picture,
            *sound,
            *codecs,
        ]
        subprocess.run([*command, "-f", "webm", "-live", "1", path], check=True, timeout=TIMEOUT)
        started_at = BEGIN + timedelta(seconds=at)
        recording_id = recordings.arrive(path.read_bytes(), type=kind, started_at=started_at, **changes)
        job = recordings.perform(IngestRecording, recording_id)
        assert job.state == "succeeded", job.error
        return recording_id

    return make


@pytest.fixture
def combine(recordings: RecordingFixture) -> Callable[[], Any]:
    """`combine()`: the row of the job, and what it made is ingested."""

    def perform() -> Any:
        order = CombineRecordings(recordings.session_id, recordings.context.settings.spool_id, 20, "user:1", 1)
        with recordings.database.transaction() as session:
            job_id = enqueue(session, order, principal="user:1")
        performer = Performer(recordings.database, "test", TIMING, 0.01, FAILURE_HOOKS)
        with suppress(JobNotDone):  # what the ledger says of it is what counts
            performer.perform(job_id, lambda run, order: combine_recordings(run, order, recordings.context))
        job = recordings.job(job_id)
        if job.state == "succeeded" and recordings.row(job.result["recording_id"]).is_processing:
            assert recordings.perform(IngestRecording, job.result["recording_id"]).state == "succeeded"
        return job

    return perform


class CombinedLesson:
    """The lesson that a job has made, as a player plays it."""

    def __init__(self, recordings: RecordingFixture, job: Any, folder: Path) -> None:
        self._ffmpeg = recordings.context.binaries.ffmpeg
        self.row = recordings.row(job.result["recording_id"])
        self.path = folder / "lesson.mp4"
        recordings.context.store.download(recordings.rendition(self.row.id, "playback").object_name, self.path)

    def _decoded(self, *words: str) -> bytes:
        command: list[str | Path] = [self._ffmpeg, "-v", "error", "-nostdin", "-i", self.path, *words, "pipe:1"]
        return subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT).stdout

    def beeps(self) -> list[float]:
        """The seconds at which tones begin."""
        raw = self._decoded("-f", "s16le", "-ac", "1", "-ar", "8000", "-af", "aresample=async=1000:first_pts=0")
        samples = np.abs(np.frombuffer(raw, np.int16).astype(int))
        loud = samples[: len(samples) // 80 * 80].reshape(-1, 80).max(axis=1) > 3000
        edges = np.flatnonzero(loud[1:] & ~loud[:-1]) + 1
        return [float(edge) / 100 for edge in edges if not loud[max(0, edge - 10) : edge].any()]

    def colours(self, place: tuple[int, int]) -> list[tuple[str, float]]:
        """The colours that are shown there one after another, each with the second at which it appears."""
        raw = self._decoded("-f", "rawvideo", "-pix_fmt", "rgb24", "-vf", "fps=20,scale=160:90:flags=neighbor")
        pixels = np.frombuffer(raw, np.uint8).reshape(-1, 90, 160, 3)[:, place[1] // 8, place[0] // 8].astype(int)
        names = [
            next((name for name, colour in COLOURS.items() if np.abs(pixel - colour).max() < 70), "other")
            for pixel in pixels
        ]
        return [(name, number / 20) for number, name in enumerate(names) if number == 0 or names[number - 1] != name]


def near(*changes: tuple[str, float]) -> list[Any]:
    return [(name, pytest.approx(second, abs=APART)) for name, second in changes]


def test_a_screen_is_large_cameras_have_corners_and_all_sound_is_heard(
    recordings: RecordingFixture, record: Record, combine: Callable[[], Any], tmp_path: Path
) -> None:
    screen = record("screen", 0, 20, (GREEN, WHITE), beep=1)
    camera = record("video", 4, 10, (RED, BLUE), beep=2)
    student = record("video", 8, 10, (BLUE, RED), beep=4, recorded_by=2)
    voice = record("board", 2, 16, None, beep=12)

    job = combine()

    assert job.state == "succeeded", job.error
    assert job.result["recordings"] == [screen, voice, camera, student]
    lesson = CombinedLesson(recordings, job, tmp_path)
    assert (lesson.row.recording_type, lesson.row.is_available) == ("video", True)
    assert (lesson.row.recording_date, lesson.row.recording_metadata["origin"]) == (BEGIN, "combined")
    assert lesson.row.recording_metadata["duration_ms"] == pytest.approx(20_000, abs=200)
    assert lesson.beeps() == pytest.approx([1, 6, 12, 14], abs=0.1)
    assert lesson.colours(MIDDLE) == near((GREEN, 0), (WHITE, 3))
    assert lesson.colours(FIRST) == near((GREEN, 0), (WHITE, 3), (RED, 4), (BLUE, 7), (WHITE, 14))
    assert lesson.colours(SECOND) == near((GREEN, 0), (WHITE, 3), (BLUE, 8), (RED, 11), (WHITE, 18))


def test_the_drawn_board_is_large_and_pauses_of_everybody_are_left_out(
    recordings: RecordingFixture, record: Record, combine: Callable[[], Any], tmp_path: Path
) -> None:
    """One recorder paused alone, which costs nothing; then both, which is not in the lesson."""
    page = recordings.sql(
        "INSERT INTO whiteboard_pages (session_id, page_number) VALUES (:id, 1) RETURNING id", id=recordings.session_id
    )[0].id
    recordings.sql(
        "INSERT INTO whiteboard_canvas_data (page_id, session_id, stroke_type, stroke_data, stroke_order, started_at,"
        " ended_at, created_at) VALUES (:page, :session, 'pen', CAST(:data AS jsonb), 1, :at, :at, :at)",
        page=page,
        session=recordings.session_id,
        data=json.dumps({"points": [[400, 330], [800, 330]], "color": "#0000ff", "width": 90}),
        at=BEGIN + timedelta(seconds=25),
    )
    pauses = [{"kind": "pause", "from_ms": 2000, "to_ms": 4000}, {"kind": "pause", "from_ms": 10_000, "to_ms": 20_000}]
    record("board", 0, 16, None, beep=9, marks=pauses)
    record("video", 0, 10, (RED, GREEN), beep=3)
    recordings.sql("UPDATE jobs SET state = 'cancelled', finished_at = now() WHERE kind = 'canvases.replay'")

    job = combine()

    assert job.state == "succeeded", job.error
    lesson = CombinedLesson(recordings, job, tmp_path)
    # The voice's ninth second is 21 on the wall, the stroke's 25: a second and five after the pause of both at 10.
    assert lesson.beeps() == pytest.approx([3, 11], abs=0.1)
    assert lesson.colours(MIDDLE) == near((WHITE, 0), (BLUE, 15))
    assert lesson.colours(FIRST)[:2] == near((RED, 0), (GREEN, 3))
    # Chapters and typed text by the clock of the lesson; of a quarter of a minute without text there are none.
    for table in ("recording_chapters", "recording_board_texts"):
        rows = recordings.sql(f"SELECT recording_id FROM {table}")  # noqa: S608 - names of this test
        assert [row.recording_id for row in rows] == [job.result["recording_id"]]


def test_combined_again_it_is_the_same_row(
    recordings: RecordingFixture, record: Record, combine: Callable[[], Any], tmp_path: Path
) -> None:
    record("video", 0, 4, (RED, BLUE), beep=1)
    record("screen", 0, 4, (GREEN, WHITE), beep=None)
    first, again = combine(), combine()
    assert again.id != first.id
    assert again.result == first.result | {"ingest_job_id": again.result["ingest_job_id"]}
    record("video", 5, 4, (BLUE, RED), beep=1)
    more = combine()
    assert more.result["recording_id"] == first.result["recording_id"]
    assert CombinedLesson(recordings, more, tmp_path).beeps() == pytest.approx([1, 5], abs=0.15)


def test_one_recording_alone_is_nothing_to_combine(record: Record, combine: Callable[[], Any]) -> None:
    record("video", 0, 4, (RED, BLUE), beep=1)
    job = combine()
    assert (job.state, job.attempt, job.error["code"]) == ("failed", 1, "nothing-to-combine")


def test_a_lesson_that_would_be_too_long_is_refused(
    recordings: RecordingFixture, record: Record, combine: Callable[[], Any]
) -> None:
    for at in (0, 10):
        record("video", at, 4, (RED, BLUE), beep=1)
    settings = recordings.context.settings.model_copy(update={"recording_max_seconds": 7})
    recordings.context = WorkerContext(settings, recordings.database)
    job = combine()
    assert (job.state, job.error["code"]) == ("failed", "combined-too-long")


def test_a_camera_alone_is_large_and_a_fourth_person_has_no_corner() -> None:
    def recording(number: int, kind: str, person: int) -> Combinable:
        return Combinable(
            number,
            kind,
            person,
            f"o{number}",
            None,
            1,
            has_picture=True,
            has_sound=True,
            stretches=(RecordedStretch(0, 0, 1),),
        )

    def corners(*recordings: Combinable, is_drawn: bool = False) -> list[tuple[int, int | None]]:
        return [(combinable.recording_id, corner) for combinable, corner in plan_corners(recordings, is_drawn=is_drawn)]

    cameras = [recording(number, "video", number) for number in range(1, 5)]
    assert corners(cameras[0], recording(9, "video", 1), cameras[1]) == [(1, None), (9, None), (2, 0)]
    assert corners(*cameras, is_drawn=True) == [(1, 0), (2, 1), (3, 2)]
    both = recording(7, "board", 1), recording(6, "screen", 1)
    assert corners(cameras[0], *reversed(both)) == [(7, None), (6, None), (1, 0)]
    assert corners(cameras[0], *both, is_drawn=True) == [(6, None), (1, 0)]

"""A board becomes a recording: filmed, ingested like any other, played, and drawn by a page itself."""

import gzip
import json
import subprocess
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import true

from tests.conftest import School
from tests.statements import run_statement
from tests.waiting import TIMEOUT
from tests.workflows.conftest import Versions
from worker.database import Database
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.board_orders import ReplayBoard
from worker.jobs.orders.order import Order
from worker.jobs.orders.recording_orders import IngestRecording, StoreSource
from worker.jobs.runs.cancel import cancel_job
from worker.jobs.runs.job_run import JobRun
from worker.jobs.runs.perform import JobNotDone, Performer
from worker.jobs.runs.run_lease import LeaseTiming
from worker.recordings.outputs.playback import plan_playback
from worker.recordings.reading import find_recording
from worker.storage.signed_addresses import SignedAddresses
from worker.workflows.context import WorkerContext
from worker.workflows.films.replay_board import replay_board
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS
from worker.workflows.recordings.ingest_recording import ingest_recording
from worker.workflows.recordings.store_source import store_source

WORK: dict[type[Order], Callable[[JobRun, Any, WorkerContext], None]] = {
    ReplayBoard: replay_board,
    IngestRecording: ingest_recording,
    StoreSource: store_source,
}


class Lesson:
    """A session with two pages, drawn on for some seconds."""

    def __init__(self, context: WorkerContext, booking_id: int) -> None:
        self.context = context
        self.database: Database = context.database
        self.id: int = self.sql(
            "INSERT INTO whiteboard_sessions (booking_id, session_title, status, actual_start, actual_end)"
            " VALUES (:booking_id, 'Algebra', 'completed', '2026-03-02 08:00Z', '2026-03-02 09:00Z') RETURNING id",
            booking_id=booking_id,
        )[0].id
        self.pages = [
            self.sql(
                "INSERT INTO whiteboard_pages (session_id, page_number, page_title, background_color)"
                " VALUES (:id, :number, :title, :colour) RETURNING id",
                id=self.id,
                number=number,
                title=f"Page {number}",
                colour=colour,
            )[0].id
            for number, colour in ((1, "#ffffff"), (2, "#204020"))
        ]

    def sql(self, statement: str, **values: Any) -> list[Any]:
        return run_statement(self.database, statement, **values)

    def draw(self, page: int, start: float, end: float, kind: str = "pen", **data: Any) -> int:
        """A stroke from `start` to `end`, in seconds since eight; returns its id."""
        content = data or {"points": [[100, 100], [1000, 600]], "color": "#1d4ed8", "width": 20}
        stroke_id: int = self.sql(
            "INSERT INTO whiteboard_canvas_data"
            " (page_id, session_id, stroke_type, stroke_data, stroke_order, started_at, ended_at, created_at)"
            " SELECT :page, :session, :kind, CAST(:data AS jsonb), count(page_id) + 1,"
            "  begun + make_interval(secs => :start), begun + make_interval(secs => :end),"
            "  begun + make_interval(secs => :end)"
            "  FROM (SELECT CAST('2026-03-02 08:00Z' AS timestamptz) AS begun) clock"
            "  LEFT JOIN whiteboard_canvas_data ON page_id = :page GROUP BY begun RETURNING id",
            page=self.pages[page],
            session=self.id,
            kind=kind,
            data=json.dumps(content),
            start=start,
            end=end,
        )[0].id
        return stroke_id

    def order(self, *, shorten_idle: bool = False) -> UUID:
        order = ReplayBoard(self.id, self.context.settings.spool_id, shorten_idle, asked_by="user:1", recorded_by=1)
        with self.database.transaction() as session:
            return enqueue(session, order, principal="user:1")

    def perform(self, job_id: UUID, kind: type[Order] = ReplayBoard) -> Any:
        """Perform the job as a worker does, and return its row."""
        performer = Performer(
            self.database, "test", LeaseTiming(lease=30, renewal=10, heartbeat=0.05), 0.01, FAILURE_HOOKS
        )
        with suppress(JobNotDone):  # what the ledger says of it is what counts
            performer.perform(job_id, lambda run, order: WORK[kind](run, order, self.context))
        return self.sql("SELECT * FROM jobs WHERE id = :id", id=job_id)[0]

    def replay(self, **options: Any) -> Any:
        return self.perform(self.order(**options))

    def rendition(self, recording_id: int, name: str) -> Any:
        return self.sql(
            "SELECT * FROM recording_renditions WHERE recording_id = :id AND name = :name", id=recording_id, name=name
        )[0]


@pytest.fixture
def lesson(context: WorkerContext, school: School) -> Lesson:
    return Lesson(context, school.booking_id)


def test_a_board_becomes_a_lesson_that_plays(lesson: Lesson, context: WorkerContext, tmp_path: Path) -> None:
    lesson.draw(0, 0, 2)
    lesson.draw(0, 3, 4, "text", text="ምሳሌ", x=200, y=700, fontSize=60)
    lesson.draw(1, 5, 6, "circle", x=600, y=400, radius=200, width=20, color="#ffffff")

    job = lesson.replay()
    assert job.state == "succeeded", job.error
    recording_id = job.result["recording_id"]
    assert job.result["duration_ms"] == 9000

    ingest = lesson.perform(UUID(job.result["ingest_job_id"]), IngestRecording)
    assert ingest.state == "succeeded", ingest.error
    row = lesson.sql("SELECT * FROM whiteboard_session_recordings WHERE id = :id", id=recording_id)[0]
    assert (row.recording_type, row.recording_title, row.recorded_by) == ("board", "Algebra", 1)
    assert (row.is_available, row.is_processing, row.duration_seconds) == (True, False, 9)
    assert row.recording_date.isoformat().startswith("2026-03-02T07:59:59")
    assert row.recording_metadata["source"]["gaps"] == []
    assert (row.recording_metadata["width"], row.recording_metadata["video_codec"]) == (1280, "h264")
    assert row.board_snapshot["pages"][0]["strokes"]
    assert lesson.rendition(recording_id, "poster").state == "ready"
    # The film begins a second before the first stroke; in nine seconds there are no chapters.
    assert lesson.sql("SELECT recording_id, texts FROM recording_board_texts") == [(recording_id, [[4000, "ምሳሌ"]])]
    assert lesson.sql("SELECT origin, chapters FROM recording_chapters") == [("automatic", [])]
    with lesson.database.transaction() as session:
        plan = plan_playback(session, find_recording(session, recording_id, true()))
    # What a player takes comes first, though the strokes were there before.
    assert [rendition.name for rendition in plan.renditions][:1] == ["playback"]

    context.store.download(lesson.rendition(recording_id, "playback").object_name, tmp_path / "film.mp4")
    shown: list[str | Path] = [
        context.binaries.ffmpeg,
        "-v",
        "error",
        "-i",
        tmp_path / "film.mp4",
        "-vf",
        "fps=10",
        "-ss",
        "8",
    ]
    raw = subprocess.run(
        [*shown, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
        check=True,
        capture_output=True,
        timeout=TIMEOUT,
    ).stdout
    frame = np.frombuffer(raw, np.uint8).reshape(720, 1280, 3).astype(int)
    assert np.abs(frame[20, 640] - (0x20, 0x40, 0x20)).max() < 12  # the second page
    assert frame[360, 100 + 720].min() > 180  # and its circle, 200 pixels to the right of (600, 400)


def test_a_page_fetches_the_strokes_and_plays_them_itself(lesson: Lesson, context: WorkerContext) -> None:
    lesson.draw(0, 0, 2)
    recording_id = lesson.replay().result["recording_id"]
    rendition = lesson.rendition(recording_id, "replay")
    assert (rendition.state, rendition.mime, rendition.duration_ms) == ("ready", "application/json", 5000)
    lesson.sql("UPDATE whiteboard_session_recordings SET is_available = true, is_processing = false")
    with lesson.database.transaction() as session:
        plan = plan_playback(session, find_recording(session, recording_id, true()))
        assert "replay" in [row.name for row in plan.renditions]
    address = SignedAddresses(context.store, plan.seconds).of(rendition.object_name)

    with urllib.request.urlopen(address, timeout=TIMEOUT) as response:  # noqa: S310
        packed = response.read()
        headers = response.headers

    assert (headers["Content-Type"], headers["Content-Encoding"]) == ("application/json", "gzip")
    assert len(packed) == rendition.bytes
    document = json.loads(gzip.decompress(packed))
    assert (document["format"], document["version"], document["title"]) == ("astegni-replay", 1, "Algebra")
    assert len(document["strokes"]) == 1


def test_twice_is_one_recording(lesson: Lesson, versions: Versions) -> None:
    lesson.draw(0, 0, 1)
    first, again = lesson.replay(), lesson.replay()
    assert first.id != again.id
    assert again.result["recording_id"] == first.result["recording_id"]
    spool = lesson.context.settings.spool_dir
    assert len([path for path in spool.iterdir() if path.is_file()]) == 1
    assert len(versions()) == 1

    lesson.draw(0, 1, 2, points=[[0, 0], [500, 5]])
    assert lesson.replay().result["recording_id"] != first.result["recording_id"]


def test_what_was_taken_back_is_seen_until_then(lesson: Lesson, context: WorkerContext) -> None:
    lesson.draw(0, 0, 1)
    undone = lesson.draw(0, 2, 3, points=[[0, 0], [9, 9]])
    statement = "UPDATE whiteboard_canvas_data SET is_deleted = true, deleted_at = {} WHERE id = :id"
    lesson.sql(statement.format("'2026-03-02 08:00:10Z'"), id=undone)
    lesson.sql(statement.format("NULL"), id=lesson.draw(0, 4, 5))

    recording_id = lesson.replay().result["recording_id"]

    name = lesson.rendition(recording_id, "replay").object_name
    token = context.store.authorize_download(f"{name.rsplit('/', 1)[0]}/", 60)
    with urllib.request.urlopen(context.store.signed_url(name, token), timeout=TIMEOUT) as response:  # noqa: S310
        strokes = json.loads(gzip.decompress(response.read()))["strokes"]
    assert [(stroke["start"], stroke.get("gone")) for stroke in strokes] == [(1000, None), (3000, 11_000)]


def test_pages_are_turned_as_they_were_and_idle_time_is_cut(lesson: Lesson, context: WorkerContext) -> None:
    lesson.draw(0, 0, 1)
    lesson.draw(1, 600, 601)
    for page, second in ((1, 300), (0, 1200)):
        lesson.sql(
            "INSERT INTO whiteboard_events (session_id, kind, page_id, at) VALUES (:id, 'page', :page,"
            " CAST('2026-03-02 08:00Z' AS timestamptz) + make_interval(secs => :second))",
            id=lesson.id,
            page=lesson.pages[page],
            second=second,
        )
    job = lesson.replay(shorten_idle=True)
    assert job.result["duration_ms"] == 1000 + 1000 + 3000 + 3000 + 1000 + 3000 + 2000
    assert lesson.replay().result["duration_ms"] == 1000 + 1_200_000 + 2000


@pytest.mark.parametrize(("kind", "data"), [("pen", {"points": [[1, 1]]}), ("pen", {"points": "no"})])
def test_a_board_that_shows_nothing_fails_with_its_reason(lesson: Lesson, kind: str, data: dict[str, Any]) -> None:
    lesson.draw(0, 0, 1, kind, **data)
    job = lesson.replay()
    assert (job.state, job.attempt, job.error["code"]) == ("failed", 1, "nothing-drawn")
    assert lesson.sql("SELECT 1 FROM whiteboard_session_recordings") == []


def test_what_cannot_be_drawn_is_named(lesson: Lesson) -> None:
    lesson.draw(0, 0, 1)
    lesson.draw(0, 1, 2, points=[[1, 1]])
    skipped = lesson.replay().result["skipped"]
    assert skipped["count"] == 1
    assert skipped["strokes"] == [
        {"page_id": lesson.pages[0], "order": 2, "reason": "a single point shows nothing"},
    ]


def test_a_cancelled_film_leaves_nothing(lesson: Lesson) -> None:
    for number in range(200):
        lesson.draw(0, number * 10, number * 10 + 10)
    job_id = lesson.order()

    def cancelled(run: JobRun, order: Any, context: WorkerContext) -> None:
        with lesson.database.transaction() as session:
            cancel_job(session, FAILURE_HOOKS, job_id)
        replay_board(run, order, context)

    performer = Performer(
        lesson.database, "test", LeaseTiming(lease=30, renewal=10, heartbeat=0.05), 0.01, FAILURE_HOOKS
    )
    with suppress(JobNotDone):
        performer.perform(job_id, lambda run, order: cancelled(run, order, lesson.context))
    assert lesson.sql("SELECT state FROM jobs WHERE id = :id", id=job_id)[0].state == "cancelled"
    assert lesson.sql("SELECT 1 FROM whiteboard_session_recordings") == []
    assert [path for path in lesson.context.settings.spool_dir.rglob("*") if path.is_file()] == []

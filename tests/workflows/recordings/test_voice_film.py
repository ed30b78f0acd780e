"""Voice and strokes: an audio recording and a board's strokes become one synchronised film."""

import gzip
import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.waiting import TIMEOUT
from tests.workflows.conftest import TIMING, RecordingFixture
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.board_orders import ReplayBoard
from worker.jobs.orders.recording_orders import IngestRecording
from worker.jobs.orders.registered import read_order
from worker.jobs.runs.perform import JobNotDone, Performer
from worker.media.processes.binaries import Binaries
from worker.recordings.films.films import VOICE_FILM
from worker.recordings.films.voices import voices_of
from worker.recordings.ingest.register import NewRecording
from worker.workflows.context import WorkerContext
from worker.workflows.films.register_film import SourcesChanged, register_film, spool_film
from worker.workflows.films.replay_board import replay_board
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS
from worker.workflows.recordings.voice_film import can_be_filmed

BEGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
RATE = 8000
# What the tutor's strokes may be apart from the voice.
APART = 0.2
# Where each stroke is drawn: a blot of 200 by 60 pixels of the page, and the pixel of the film in its middle.
INK_SPOTS = [(x, y) for y in (100, 300, 500, 700) for x in (150, 450, 750, 1050)]

Voice = Callable[..., bytes]


@pytest.fixture
def speak(context: WorkerContext, tmp_path: Path) -> Voice:
    """`speak(seconds, beeps)`: an Opus WebM as a recorder streams it, with a tone of 0.4 s at each of these seconds."""

    def record(seconds: float, beeps: list[float], hertz: int = 1000) -> bytes:
        signal = "+".join(f"between(t,{at},{at + 0.4})" for at in beeps) or "0"
        source = f"aevalsrc='0.5*sin({hertz}*2*PI*t)*({signal})':s=48000:d={seconds}"
        words = ["-c:a", "libopus", "-b:a", "24k", "-ac", "1", "-f", "webm", "-live", "1"]
        path = tmp_path / "voice.webm"
        subprocess.run(
            [context.binaries.ffmpeg, "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", source, *words, path],
            check=True,
            timeout=TIMEOUT,
        )
        return path.read_bytes()

    return record


class Board:
    """A session whose tutor draws and speaks."""

    def __init__(self, recordings: RecordingFixture) -> None:
        self.recordings = recordings
        self.sql = recordings.sql
        self.id = recordings.session_id
        self.pages = [
            self.sql(
                "INSERT INTO whiteboard_pages (session_id, page_number) VALUES (:id, :n) RETURNING id", id=self.id, n=n
            )[0].id
            for n in (1, 2)
        ]
        self.drawn = 0

    def draw(self, at: float, page: int = 0) -> None:
        """A stroke at once, so many seconds after the beginning: the next blot of the page."""
        x, y = INK_SPOTS[self.drawn]
        self.drawn += 1
        self.sql(
            "INSERT INTO whiteboard_canvas_data (page_id, session_id, stroke_type, stroke_data, stroke_order,"
            " started_at, ended_at, created_at)"
            " VALUES (:page, :session, 'pen', CAST(:data AS jsonb), :number, :at, :at, :at)",
            page=self.pages[page],
            session=self.id,
            data=json.dumps({"points": [[x - 70, y], [x + 70, y]], "color": "#000000", "width": 60}),
            number=self.drawn,
            at=BEGIN + timedelta(seconds=at),
        )

    def turn(self, at: float, page: int) -> None:
        self.sql(
            "INSERT INTO whiteboard_events (session_id, kind, page_id, at) VALUES (:id, 'page', :page, :at)",
            id=self.id,
            page=self.pages[page],
            at=BEGIN + timedelta(seconds=at),
        )

    def say(self, voice: bytes, at: float = 0.0, **changes: Any) -> int:
        """A voice whose recorder began so many seconds after the beginning, and its ingest."""
        started_at = BEGIN + timedelta(seconds=at)
        recording_id = self.recordings.arrive(voice, type="board", started_at=started_at, **changes)
        job = self.recordings.perform(IngestRecording, recording_id)
        assert job.state == "succeeded", job.error
        return recording_id

    def announcements(self) -> set[int]:
        """The recordings that people are notified of."""
        rows = self.sql("SELECT data FROM deliveries WHERE kind = 'recording-ready'")
        return {row.data["recording_id"] for row in rows}

    def is_filmed_at_request(self) -> bool:
        """Whether its tutor may order a film."""
        with self.recordings.database.transaction() as session:
            return can_be_filmed(session, self.id)

    def films(self) -> list[Any]:
        return self.sql("SELECT * FROM jobs WHERE kind = 'canvases.replay' ORDER BY created_at, id")

    def film(self) -> Any:
        """Make the film that was ordered last, and ingest it; returns the row of its job."""
        job_id = self.films()[-1].id
        self.sql("UPDATE jobs SET run_at = now() WHERE state = 'queued'")
        performer = Performer(self.recordings.database, "test", TIMING, 0.01, FAILURE_HOOKS)
        with suppress(JobNotDone):  # what the ledger says of it is what counts
            performer.perform(job_id, lambda run, order: replay_board(run, order, self.recordings.context))
        job = self.recordings.job(job_id)
        if job.state == "succeeded":
            assert self.recordings.perform(IngestRecording, job.result["recording_id"]).state == "succeeded"
        return job


@pytest.fixture
def board(recordings: RecordingFixture) -> Board:
    return Board(recordings)


class Film:
    """A film that is played: what is seen and heard in it, and when."""

    def __init__(self, board: Board, recording_id: int, folder: Path) -> None:
        self.context = board.recordings.context
        self.binaries: Binaries = self.context.binaries
        self.row = board.recordings.row(recording_id)
        self.path = folder / f"{recording_id}.mp4"
        self.context.store.download(board.recordings.rendition(recording_id, "playback").object_name, self.path)
        replay = folder / f"{recording_id}.json"
        self.context.store.download(board.recordings.rendition(recording_id, "replay").object_name, replay)
        self.replay = json.loads(gzip.decompress(replay.read_bytes()))

    def _decoded(self, *words: str) -> bytes:
        command: list[str | Path] = [self.binaries.ffmpeg, "-v", "error", "-nostdin", "-i", self.path, *words, "pipe:1"]
        return subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT).stdout

    def beeps(self) -> list[float]:
        """The seconds at which tones begin."""
        raw = self._decoded("-f", "s16le", "-ac", "1", "-ar", str(RATE), "-af", "aresample=async=1000:first_pts=0")
        samples = np.abs(np.frombuffer(raw, np.int16).astype(int))
        loud = samples[: len(samples) // 80 * 80].reshape(-1, 80).max(axis=1) > 3000
        edges = np.flatnonzero(loud[1:] & ~loud[:-1]) + 1
        # A tone has no pause of 0.1 s.
        return [edge / 100 for edge in edges if not loud[max(0, edge - 10) : edge].any()]

    def changes(self) -> list[tuple[bool, float]]:
        """Whether the middle of the picture is dark, and since when, for each change."""
        raw = self._decoded("-f", "rawvideo", "-pix_fmt", "gray", "-vf", "fps=50,scale=16:9")
        dark = np.frombuffer(raw, np.uint8).reshape(-1, 9, 16)[:, 4, 8] < 128
        edges = [0, *(np.flatnonzero(dark[1:] != dark[:-1]) + 1)]
        return [(bool(dark[edge]), edge / 50) for edge in edges]

    def ink_spots(self) -> list[float]:
        """The seconds at which each blot appears, in the order of drawing; NaN for one that is never seen."""
        small = 160, 90
        raw = self._decoded("-f", "rawvideo", "-pix_fmt", "gray", "-vf", f"fps=50,scale={small[0]}:{small[1]}")
        frames = np.frombuffer(raw, np.uint8).reshape(-1, small[1], small[0])
        # The page of 1200 by 800 is shown in the middle of 1280 by 720, at a scale of 0.9.
        instants = []
        for x, y in INK_SPOTS:
            dark = frames[:, int(y * 0.9 / 8), int((100 + x * 0.9) / 8)] < 100
            instants.append(float(dark.argmax()) / 50 if dark.any() else float("nan"))
        return instants


@pytest.fixture
def play(board: Board, tmp_path: Path) -> Callable[[Any], Film]:
    return lambda job: Film(board, job.result["recording_id"], tmp_path)


def test_a_board_may_be_sound_alone(board: Board, speak: Voice) -> None:
    recording_id = board.say(speak(5, [1]))
    row = board.recordings.row(recording_id)
    assert (row.recording_type, row.is_available, row.duration_seconds) == ("board", True, 5)
    assert row.recording_metadata["mime"] == "audio/webm"
    assert (row.recording_metadata["video_codec"], row.recording_metadata["audio_codec"]) == (None, "opus")
    # Nobody has drawn, so there is no film.
    assert board.films() == []


def test_strokes_are_seen_when_they_were_spoken_about(board: Board, speak: Voice, play: Callable[[Any], Film]) -> None:
    seconds = [2.0, 5.5, 9.3, 14.05, 17.6]
    for at in seconds:
        board.draw(at)
    voice = board.say(speak(20, seconds))

    job = board.film()

    assert job.state == "succeeded", job.error
    film = play(job)
    assert (film.row.is_available, film.row.recording_metadata["audio_codec"]) == (True, "aac")
    assert film.row.recording_date == BEGIN
    assert film.row.recording_metadata["duration_ms"] == pytest.approx(20_000, abs=200)
    tones, strokes = film.beeps(), film.ink_spots()[: len(seconds)]
    assert tones == pytest.approx(seconds, abs=0.1)
    assert strokes == pytest.approx(tones, abs=APART)
    assert film.replay["voices"] == [{"recording_id": voice, "pieces": [[0, 0, film.replay["duration_ms"]]]}]
    assert [stroke["start"] for stroke in film.replay["strokes"]] == [round(at * 1000) for at in seconds]


def test_pages_turn_with_the_voice_and_nothing_that_was_drawn_is_missing(
    board: Board, speak: Voice, play: Callable[[Any], Film]
) -> None:
    """Drawn before the recorder, while it runs, on another page, and after it."""
    for at, page in ((-300, 0), (3, 0), (6, 1), (40, 1)):
        board.draw(at, page)
    for at, page in ((-400, 0), (5, 1), (9, 0), (12, 1), (90, 0)):
        board.turn(at, page)
    board.say(speak(15, [3, 6, 9]))

    film = play(board.film())

    assert film.beeps() == pytest.approx([3, 6, 9], abs=0.1)
    # The fourth comes three seconds after the voice, and is seen for two.
    assert film.ink_spots()[:4] == pytest.approx([0, 3, 6, 18], abs=APART)
    assert film.replay["turns"] == [[0, 0], [5000, 1], [9000, 0], [12_000, 1]]
    assert film.row.recording_metadata["duration_ms"] == pytest.approx(20_000, abs=200)


def test_two_voices_are_heard_in_one_film_without_the_time_between_them(
    board: Board, speak: Voice, play: Callable[[Any], Film]
) -> None:
    """The tutor's recorder was started again, a student spoke meanwhile."""
    for at in (2, 11, 32, 36):
        board.draw(at)
    first = board.say(speak(8, [2, 5]))
    student = board.say(speak(5, [2], hertz=600), at=30.2)
    second = board.say(speak(10, [2, 6]), at=30)

    film = play(board.film())

    # 10 is missing: nobody spoke from 8 to 30. The student's tone at 32.2 is one with the tutor's at 32.
    assert film.beeps() == pytest.approx([2, 5, 10, 14], abs=0.1)
    assert film.ink_spots()[:4] == pytest.approx([2, 8, 10, 14], abs=APART)
    voices = {voice["recording_id"]: voice["pieces"] for voice in film.replay["voices"]}
    assert list(voices) == [first, second, student]
    assert [pieces[0][:2] for pieces in voices.values()] == [
        [0, 0],
        [pytest.approx(8000, abs=60), 0],
        [pytest.approx(8200, abs=60), 0],
    ]


def test_a_laptop_that_slept_moves_what_follows(
    board: Board, speak: Voice, context: WorkerContext, tmp_path: Path, play: Callable[[Any], Film]
) -> None:
    """The clock of the packets went on for two minutes, which the fast copy leaves out."""
    source, target = tmp_path / "awake.webm", tmp_path / "slept.webm"
    source.write_bytes(speak(12, [2, 8]))
    jump = ["-c", "copy", "-bsf:a", "setts=ts='TS+gte(TS*TB,5)*120/TB'", "-live", "1"]
    subprocess.run(
        [context.binaries.ffmpeg, "-v", "error", "-nostdin", "-i", source, *jump, target], check=True, timeout=TIMEOUT
    )
    for at in (2, 60, 128):
        board.draw(at)
    voice = board.say(target.read_bytes())
    assert [repair["kind"] for repair in board.recordings.row(voice).recording_metadata["repairs"]] == ["clock-jump"]

    film = play(board.film())

    assert film.beeps() == pytest.approx([2, 8], abs=0.1)
    assert film.ink_spots()[:3] == pytest.approx([2, 5, 8], abs=APART)


def test_without_a_stated_beginning_the_voice_ended_when_it_was_uploaded(board: Board, speak: Voice) -> None:
    board.draw(2)
    recording_id = board.recordings.arrive(speak(5, [2]), type="board")
    end = BEGIN + timedelta(seconds=5)
    board.sql("UPDATE whiteboard_session_recordings SET recording_date = :at, created_at = :at", at=end)
    assert board.recordings.perform(IngestRecording, recording_id).state == "succeeded"
    with board.recordings.database.transaction() as session:
        (voice,) = voices_of(session, board.id)
    assert voice.stretches[0].begun == pytest.approx(BEGIN.timestamp() * 1000, abs=100)


def test_the_film_is_ordered_once_and_is_what_people_are_told_of(board: Board, speak: Voice) -> None:
    board.draw(1)
    voice = board.say(speak(3, [1]))

    (job,) = board.films()
    order = ReplayBoard(
        board.id,
        job.args["spool_id"],
        shorten_idle=False,
        asked_by="user:1",
        recorded_by=1,
        voice_id=voice,
        voice_sha1=board.recordings.row(voice).source_sha1,
    )
    assert (read_order(job.kind, job.args), job.principal) == (order, "user:1")
    assert board.announcements() == set()
    film = board.film()
    assert board.announcements() == {film.result["recording_id"]}
    # A film has a picture, so its own ingest orders none.
    assert len(board.films()) == 1


def test_a_voice_is_announced_if_the_job_of_its_film_ends_badly(board: Board, speak: Voice) -> None:
    context = board.recordings.context
    board.draw(1)
    voice = board.say(speak(3, [1]))
    context.store.delete(board.recordings.rendition(voice, "playback").object_name)

    assert board.film().state == "failed"

    assert board.announcements() == {voice}


def test_a_voice_on_pages_without_a_stroke_has_a_film_of_the_pages(
    board: Board, speak: Voice, play: Callable[[Any], Film]
) -> None:
    board.sql("UPDATE whiteboard_pages SET background_color = '#000000' WHERE id = :id", id=board.pages[1])
    for at, page in ((-1, 0), (2, 1), (4, 0)):
        board.turn(at, page)
    board.say(speak(6, [1, 5]))

    job = board.film()

    assert job.state == "succeeded", job.error
    film = play(job)
    assert film.beeps() == pytest.approx([1, 5], abs=APART)
    assert film.row.duration_seconds == pytest.approx(6, abs=0.2)
    assert [is_dark for is_dark, _at in film.changes()] == [False, True, False]
    assert [at for _is_dark, at in film.changes()] == pytest.approx([0, 2, 4], abs=APART)
    assert [page for _at, page in film.replay["turns"]] == [0, 1, 0]
    assert board.announcements() == {film.row.id}


def test_a_voice_on_an_imported_page_that_nobody_turned_has_a_film_of_it(
    board: Board, speak: Voice, play: Callable[[Any], Film]
) -> None:
    board.sql(
        "UPDATE whiteboard_pages SET background_image = 'nothing that can be fetched' WHERE id = :id", id=board.pages[0]
    )
    board.say(speak(3, [1]))

    assert play(board.film()).beeps() == pytest.approx([1], abs=APART)
    assert board.is_filmed_at_request()


def test_pages_without_a_voice_and_without_a_stroke_are_no_film(board: Board) -> None:
    board.turn(1, 0)
    board.turn(2, 1)
    assert not board.is_filmed_at_request()


def test_a_plain_talk_is_heard_and_has_no_film(board: Board, speak: Voice) -> None:
    board.turn(1, 0)
    voice = board.say(speak(3, [1]))

    assert board.films() == []
    assert board.announcements() == {voice}
    assert not board.is_filmed_at_request()
    row = board.recordings.row(voice)
    assert (row.is_available, row.recording_metadata["audio_codec"]) == (True, "opus")


def test_when_there_can_be_no_film_the_voice_is_announced(board: Board, speak: Voice) -> None:
    board.draw(1)
    board.sql("UPDATE whiteboard_canvas_data SET stroke_data = '{}'")
    voice = board.say(speak(3, [1]))
    job = board.film()
    assert (job.state, job.error["code"]) == ("failed", "nothing-drawn")
    assert board.announcements() == {voice}


def test_a_film_of_the_same_strokes_and_voices_is_the_same_recording(board: Board, speak: Voice) -> None:
    board.draw(1)
    board.say(speak(3, [1]))
    first = board.film()
    order = ReplayBoard(board.id, first.args["spool_id"], shorten_idle=True, asked_by="user:1", recorded_by=1)
    with board.recordings.database.transaction() as session:
        enqueue(session, order, principal="user:1")
    again = board.film()
    assert again.id != first.id
    assert again.result["recording_id"] == first.result["recording_id"]


def test_the_film_of_a_later_voice_replaces_that_of_the_earlier_one(
    board: Board, speak: Voice, play: Callable[[Any], Film]
) -> None:
    board.draw(1)
    board.say(speak(3, [1]))
    first = board.film()
    board.say(speak(4, [2]), at=10)
    second = board.film()
    assert second.result["recording_id"] == first.result["recording_id"]
    assert play(second).beeps() == pytest.approx([1, 5], abs=0.1)
    assert len(board.sql("SELECT 1 FROM whiteboard_session_recordings")) == 3


@pytest.fixture
def film_file(board: Board, tmp_path: Path) -> Callable[[bytes], NewRecording]:
    """`film_file(content)`: a film in the spool that is not registered yet."""

    def spool(content: bytes) -> NewRecording:
        path = tmp_path / "film.mp4"
        path.write_bytes(content)
        file = spool_film(board.recordings.context, path)
        return NewRecording(
            session_id=board.id,
            title="Film",
            type="board",
            recorded_by=1,
            principal="user:1",
            spool_id=board.recordings.context.settings.spool_id,
            spool_name=file.name,
            size_bytes=file.size,
            sha1=file.sha1,
            origin=VOICE_FILM,
        )

    return spool


def test_films_that_end_at_once_are_one_recording(board: Board, film_file: Callable[[bytes], NewRecording]) -> None:
    films = [film_file(bytes([number]) * 100) for number in range(4)]
    with ThreadPoolExecutor(len(films)) as pool:
        results = list(pool.map(lambda film: register_film(board.recordings.context, film), films))
    assert len({result.recording_id for result in results}) == 1
    assert all(result.is_new for result in results)
    assert len(board.sql("SELECT 1 FROM whiteboard_session_recordings")) == 1


def test_a_film_that_lacks_a_later_voice_is_made_again(
    board: Board, speak: Voice, film_file: Callable[[bytes], NewRecording]
) -> None:
    context = board.recordings.context
    board.draw(1)
    board.say(speak(3, [1]))
    with context.database.transaction() as session:
        voices = voices_of(session, board.id)
    board.say(speak(4, [2]), at=10)
    film = film_file(b"a film of the first voice")
    with pytest.raises(SourcesChanged):
        register_film(context, film, lambda session: voices_of(session, board.id) == voices)
    assert not context.spool.target(film.spool_name).exists()
    assert len(board.sql("SELECT 1 FROM whiteboard_session_recordings")) == 2


def test_pauses_of_the_recorder_are_pauses_of_the_film(board: Board, speak: Voice, play: Callable[[Any], Film]) -> None:
    """What is drawn in a pause appears at its end."""
    for at in (2, 7, 22, 25):
        board.draw(at)
    marks = [
        {"kind": "pause", "from_ms": 5000, "to_ms": 20_000},
        {"kind": "gap", "from_ms": 26_000, "to_ms": 27_000},
    ]
    board.say(speak(15, [2, 7, 10]), marks=marks)

    film = play(board.film())

    assert film.beeps() == pytest.approx([2, 7, 10], abs=0.1)
    assert film.ink_spots()[:4] == pytest.approx([2, 5, 7, 10], abs=APART)
    assert [piece[:2] for piece in film.replay["voices"][0]["pieces"]] == [[0, 0], [5000, 5000]]


def test_what_is_drawn_after_a_reload_is_shown_with_the_voice_of_then(
    board: Board, speak: Voice, play: Callable[[Any], Film]
) -> None:
    """The page was reloaded after 5 s, and again a moment later; the voice continued 15 s later in the same upload."""
    for at in (2, 22, 24):
        board.draw(at)
    marks = [
        {"kind": "gap", "from_ms": 5000, "to_ms": 9000},
        {"kind": "gap", "from_ms": 9000, "to_ms": 20_000},
    ]
    board.say(speak(5, [2]) + speak(5, [2, 4]), marks=marks)

    film = play(board.film())

    assert film.beeps() == pytest.approx([2, 7, 9], abs=0.1)
    assert film.ink_spots()[:3] == pytest.approx([2, 7, 9], abs=APART)

"""Combine the recordings of a session into one lesson: board or screen large, faces in a corner, all sounds mixed."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from worker.canvases.replay.build_timeline import NothingDrawn, build_timeline
from worker.canvases.replay.film import frames_of
from worker.canvases.replay.history import History, load_history
from worker.canvases.replay.recorded_clock import RecordedClock
from worker.canvases.replay.timeline import RecordedVoice, ReplayTimeline
from worker.errors import InvalidInput
from worker.jobs.orders.lesson_orders import CombineRecordings
from worker.jobs.runs.job_run import JobRun
from worker.media.films.composite import MAX_CORNERS, Overlay, write_composite
from worker.media.films.mix import Sound, SoundPiece
from worker.recordings.films.combinable import Combinable, combinables_of, require_several
from worker.recordings.films.films import COMBINED
from worker.recordings.ingest.register import NewRecording
from worker.recordings.source import lock_recording
from worker.uploads.private_files import report_full_disk
from worker.uploads.spool_writer import SpoolFile
from worker.workflows.boards.board_images import board_with_images
from worker.workflows.boards.board_moments import store_moments
from worker.workflows.context import WorkerContext
from worker.workflows.films.register_film import LONGEST_TITLE, register_film, spool_film


class CombinedTooLong(InvalidInput):
    """The combined lesson would last longer than a recording may."""

    code, title = "combined-too-long", "The combined lesson would be too long"


@dataclass(frozen=True)
class _Lesson:
    """The parts of the lesson: the board over time, if it was drawn on, and the pieces of each recording."""

    board: ReplayTimeline | None
    pieces: Mapping[int, Sequence[SoundPiece]]
    duration_ms: int
    begun_ms: int


def combine_recordings(run: JobRun, order: CombineRecordings, context: WorkerContext) -> None:
    """Write the lesson to the spool and register it as a recording of type `video`.

    Raises NothingToCombine and CombinedTooLong, which no retry can fix, SourcesChanged, and the errors of ffmpeg and
    the store.
    """
    run.progress(1, "reading the session")
    with context.database.transaction() as session:
        history = load_history(session, order.session_id)
        recordings = combinables_of(session, order.session_id)
    with report_full_disk(), context.spool.workspace(run.claim.job_id) as folder:
        lesson = _lesson(order, context, history, recordings, folder)
        require_several(recordings, order.session_id, is_drawn=lesson.board is not None)
        _require_length(context, lesson)
        film = _film(run, context, recordings, lesson, folder)
        run.check()
        new = _new_recording(order, context, history, lesson, film)
        registered = register_film(
            context, new, lambda session: combinables_of(session, order.session_id) == recordings
        )
    result = {
        "recording_id": registered.recording_id,
        "ingest_job_id": str(registered.job_id) if registered.job_id else None,
        "duration_ms": lesson.duration_ms,
        "recordings": [recording.recording_id for recording in recordings],
    }
    with run.finish(result) as session:
        if lock_recording(session, registered.recording_id) is not None:
            store_moments(session, registered.recording_id, lesson.board)


def plan_corners(recordings: Sequence[Combinable], *, is_drawn: bool) -> list[tuple[Combinable, int | None]]:
    """The visible recordings from the bottom layer to the top one, and the corner of each.

    Screens, and boards when no strokes are stored, are large (None). Each person's camera has a corner; if nothing is
    large, the first person's camera is.
    """
    shown = [recording for recording in recordings if recording.has_picture]
    large = [
        recording
        for kind in ("board", "screen")
        for recording in shown
        if recording.type == kind and not (is_drawn and kind == "board")
    ]
    cameras = [recording for recording in shown if recording.type == "video"]
    people = list(dict.fromkeys(camera.recorded_by for camera in cameras))
    if not large and not is_drawn and people:
        first = people.pop(0)
        large = [camera for camera in cameras if camera.recorded_by == first]
    corners = {person: corner for corner, person in enumerate(people[:MAX_CORNERS])}
    small = [(camera, corners[camera.recorded_by]) for camera in cameras if camera.recorded_by in corners]
    return [*((recording, None) for recording in large), *small]


def _lesson(
    order: CombineRecordings,
    context: WorkerContext,
    history: History,
    recordings: Sequence[Combinable],
    folder: Path,
) -> _Lesson:
    require_several(recordings, order.session_id, is_drawn=True)
    with suppress(NothingDrawn):
        board = build_timeline(
            board_with_images(context, order.session_id, history, folder),
            turns=history.turns,
            until=history.ended_at,
            voices=[RecordedVoice(recording.recording_id, recording.stretches) for recording in recordings],
        )
        pieces = {voice.recording_id: voice.pieces for voice in board.voices}
        return _Lesson(board, pieces, board.duration_ms, recordings[0].stretches[0].begun)
    clock = RecordedClock([stretch.interval for recording in recordings for stretch in recording.stretches], [])
    pieces = {recording.recording_id: clock.place(recording.stretches) for recording in recordings}
    return _Lesson(None, pieces, clock.duration_ms, clock.begin)


def _require_length(context: WorkerContext, lesson: _Lesson) -> None:
    longest = context.settings.recording_max_seconds
    if lesson.duration_ms > longest * 1000:
        raise CombinedTooLong(
            f"The combined lesson would last {lesson.duration_ms / 3_600_000:.1f} hours, at most {longest / 3600:g}."
        )


def _film(
    run: JobRun, context: WorkerContext, recordings: Sequence[Combinable], lesson: _Lesson, folder: Path
) -> SpoolFile:
    paths = _fetch(run, context, recordings, folder)
    run.progress(20, "combining")
    film = folder / "combined.mp4"
    write_composite(
        film,
        context.binaries,
        duration_ms=lesson.duration_ms,
        board=None if lesson.board is None else frames_of(lesson.board),
        pictures=[
            Overlay(paths[recording.recording_id], lesson.pieces[recording.recording_id], corner)
            for recording, corner in plan_corners(recordings, is_drawn=lesson.board is not None)
        ],
        sounds=[
            Sound(paths[recording.recording_id], lesson.pieces[recording.recording_id])
            for recording in recordings
            if recording.has_sound
        ],
        should_stop=run.should_stop,
        on_progress=lambda seconds: run.progress(20 + 75 * min(1.0, seconds * 1000 / lesson.duration_ms)),
    )
    return spool_film(context, film)


def _fetch(run: JobRun, context: WorkerContext, recordings: Sequence[Combinable], folder: Path) -> dict[int, Path]:
    """Download the recordings; returns the path of each by its id."""
    run.progress(2, "fetching the recordings")
    context.spool.require_space(sum(recording.bytes for recording in recordings))
    paths = {}
    for recording in recordings:
        run.check()
        path = folder / f"recording{recording.recording_id}"
        context.store.download(recording.object_name, path, sha1=recording.sha1)
        paths[recording.recording_id] = path
    return paths


def _new_recording(
    order: CombineRecordings, context: WorkerContext, history: History, lesson: _Lesson, film: SpoolFile
) -> NewRecording:
    return NewRecording(
        session_id=order.session_id,
        title=history.board.title[:LONGEST_TITLE],
        type="video",
        recorded_by=order.recorded_by,
        principal=order.asked_by,
        spool_id=context.settings.spool_id,
        spool_name=film.name,
        size_bytes=film.size,
        sha1=film.sha1,
        filename="combined.mp4",
        started_at=datetime.fromtimestamp(lesson.begun_ms / 1000, UTC),
        origin=COMBINED,
    )

"""Turn the board of a session into a recording: a film written to the spool and registered like any uploaded file.

The same strokes and voices always give the same bytes, and so the same recording.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.canvases.board import SkippedStroke
from worker.canvases.replay.build_timeline import NothingDrawn, build_timeline
from worker.canvases.replay.film import ReplayTooLong, write_film
from worker.canvases.replay.history import History, load_history
from worker.canvases.replay.replay_json import pack_replay
from worker.canvases.replay.timeline import RecordedVoice, ReplayTimeline
from worker.jobs.orders.board_orders import ReplayBoard
from worker.jobs.runs.job_run import JobRun
from worker.recordings.films.films import VOICE_FILM
from worker.recordings.films.voices import Voice, voices_of
from worker.recordings.ingest.register import NewRecording, RegistrationResult
from worker.recordings.objects.names import recording_prefix, replay_name
from worker.recordings.outputs.renditions import set_rendition
from worker.recordings.source import lock_recording
from worker.storage.objects import StoredObject
from worker.uploads.private_files import report_full_disk
from worker.uploads.spool_writer import SpoolFile
from worker.workflows.boards.board_images import board_with_images
from worker.workflows.boards.board_moments import store_moments
from worker.workflows.context import WorkerContext
from worker.workflows.films.register_film import LONGEST_TITLE, register_film, spool_film
from worker.workflows.recordings.voice_film import fetch_sounds, notify_of_voice

REPLAY_MIME = "application/json"
# A job's result lists this many strokes that could not be drawn as stored; the others are only counted.
MAX_NAMED = 20


@dataclass(frozen=True)
class _Replay:
    """The replay of a board: its timeline, the film in the spool, the packed strokes, the skipped ones."""

    timeline: ReplayTimeline
    film: SpoolFile
    packed: bytes
    skipped: Sequence[tuple[int | None, SkippedStroke]]


def replay_board(run: JobRun, order: ReplayBoard, context: WorkerContext) -> None:
    """Film the board, register the film as a recording of type `board`, and give it the rendition `replay`.

    Raises NothingDrawn and ReplayTooLong, which no retry can fix, SourcesChanged, and the errors of film and store.
    """
    run.progress(1, "reading the board")
    with context.database.transaction() as session:
        history = load_history(session, order.session_id)
        voices = voices_of(session, order.session_id)
    with report_full_disk(), context.spool.workspace(run.claim.job_id) as folder:
        with _voice_announced(order, context):
            timeline = _timeline(order, context, history, voices, folder)
            replay = _make(run, context, timeline, voices, folder)
        run.check()
        new = _new_recording(order, context, replay)
        registered = register_film(context, new, lambda session: voices_of(session, order.session_id) == voices)
        run.progress(95, "storing the strokes")
        stored = _store(run, order, context, registered, replay, folder)
    result = {
        "recording_id": registered.recording_id,
        "ingest_job_id": str(registered.job_id) if registered.job_id else None,
        "duration_ms": replay.timeline.duration_ms,
        "skipped": _named(replay.skipped),
    }
    with run.finish(result) as session:
        # When it was deleted meanwhile, the sweep removes the object.
        if lock_recording(session, registered.recording_id) is not None:
            store_moments(session, registered.recording_id, replay.timeline)
            set_rendition(
                session,
                registered.recording_id,
                "replay",
                state="ready",
                reason=None,
                object_name=stored.name,
                file_id=stored.file_id,
                sha1=stored.sha1,
                bytes=stored.size,
                mime=REPLAY_MIME,
                duration_ms=replay.timeline.duration_ms,
            )


def _timeline(
    order: ReplayBoard, context: WorkerContext, history: History, voices: Sequence[Voice], folder: Path
) -> ReplayTimeline:
    return build_timeline(
        board_with_images(context, order.session_id, history, folder),
        turns=history.turns,
        shorten_idle=order.shorten_idle,
        until=history.ended_at,
        voices=[RecordedVoice(voice.recording_id, voice.stretches) for voice in voices],
        shows_pages=history.shows_pages,
    )


@contextmanager
def _voice_announced(order: ReplayBoard, context: WorkerContext) -> Iterator[None]:
    """When no film can be made, announce the voice whose ingest ordered it, since nobody was notified of it yet."""
    try:
        yield
    except (NothingDrawn, ReplayTooLong):
        if order.voice_id is not None:
            notify_of_voice(context, order.voice_id)
        raise


def _make(
    run: JobRun, context: WorkerContext, timeline: ReplayTimeline, voices: Sequence[Voice], folder: Path
) -> _Replay:
    sounds = fetch_sounds(context, timeline.voices, voices, folder)
    seconds = timeline.duration_ms / 1000
    run.progress(5, "filming the board")
    film = folder / "film.mp4"
    write_film(
        timeline,
        film,
        context.binaries,
        sounds=sounds,
        max_seconds=context.settings.recording_max_seconds,
        should_stop=run.should_stop,
        on_progress=lambda filmed: run.progress(5 + 85 * min(1.0, filmed / seconds)),
    )
    skipped = [(page.page_id, stroke) for page in timeline.pages for stroke in page.skipped]
    return _Replay(timeline, spool_film(context, film), pack_replay(timeline), skipped)


def _new_recording(order: ReplayBoard, context: WorkerContext, replay: _Replay) -> NewRecording:
    return NewRecording(
        session_id=order.session_id,
        title=replay.timeline.title[:LONGEST_TITLE],
        type="board",
        recorded_by=order.recorded_by,
        principal=order.asked_by,
        spool_id=context.settings.spool_id,
        spool_name=replay.film.name,
        size_bytes=replay.film.size,
        sha1=replay.film.sha1,
        filename="replay.mp4",
        started_at=replay.timeline.started_at,
        origin=None if order.voice_id is None else VOICE_FILM,
    )


def _store(
    run: JobRun,
    order: ReplayBoard,
    context: WorkerContext,
    registered: RegistrationResult,
    replay: _Replay,
    folder: Path,
) -> StoredObject:
    path = folder / "replay.json"
    path.write_bytes(replay.packed)
    sha1 = hashlib.sha1(replay.packed, usedforsecurity=False).hexdigest()
    prefix = recording_prefix(order.session_id, registered.recording_id)
    return context.store.upload(
        path,
        replay_name(prefix, replay.film.sha1, sha1),
        content_type=REPLAY_MIME,
        content_encoding="gzip",
        sha1=sha1,
        should_stop=run.should_stop,
    )


def _named(skipped: Sequence[tuple[int | None, SkippedStroke]]) -> dict[str, Any]:
    strokes = [
        {"page_id": page_id, "order": stroke.order, "reason": stroke.reason} for page_id, stroke in skipped[:MAX_NAMED]
    ]
    return {"count": len(skipped), "strokes": strokes}

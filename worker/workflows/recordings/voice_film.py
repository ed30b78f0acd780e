"""The film of a board with a voice: ordered when the voice becomes playable, and made with its sound."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.orm import Session

from models.recordings import Recording
from worker import clock
from worker.canvases.replay.history import shows_pages, was_drawn_on
from worker.canvases.replay.timeline import PlacedVoice
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.board_orders import ReplayBoard
from worker.media.films.mix import Sound
from worker.recordings.films.voices import Voice, is_voice, voices_of
from worker.recordings.source import lock_recording
from worker.workflows.context import WorkerContext
from worker.workflows.recordings.notify_recording import notify_of_recording


def order_film(session: Session, recording: Recording, *, spool_id: str, principal: str) -> bool:
    """Order the film of a board whose voice is now playable; returns whether there will be one.

    Other recordings get none. Nor does a talk without drawing: a film of an empty page is larger and shows nothing,
    while the voice alone can be played.
    """
    if not is_voice(recording) or not has_pictures(session, recording.session_id):
        return False
    order = ReplayBoard(
        recording.session_id,
        spool_id,
        shorten_idle=False,
        asked_by=principal,
        recorded_by=recording.recorded_by,
        voice_id=recording.id,
        voice_sha1=recording.source_sha1,
    )
    enqueue(session, order, principal=principal)
    return True


def can_be_filmed(session: Session, session_id: int) -> bool:
    """Whether a board can be replayed: there are strokes, or a voice on pages."""
    return was_drawn_on(session, session_id) or bool(
        shows_pages(session, session_id) and voices_of(session, session_id)
    )


def has_pictures(session: Session, session_id: int) -> bool:
    """Whether a film of the board shows more than an empty page."""
    return was_drawn_on(session, session_id) or shows_pages(session, session_id)


def fetch_sounds(
    context: WorkerContext, placed: Sequence[PlacedVoice], voices: Sequence[Voice], folder: Path
) -> list[Sound]:
    """Download the voices of a film. Raises the store's errors, ObjectMissing for one that was deleted meanwhile."""
    objects = {voice.recording_id: voice for voice in voices}
    sounds = []
    for voice in placed:
        path = folder / f"voice_{voice.recording_id}"
        stored = objects[voice.recording_id]
        context.store.download(stored.object_name, path, sha1=stored.sha1)
        sounds.append(Sound(path, voice.pieces))
    return sounds


def notify_of_voice(context: WorkerContext, recording_id: int) -> None:
    """Notify everybody of a voice that gets no film: it can be played by itself."""
    with context.database.transaction() as session:
        recording = lock_recording(session, recording_id)
        if recording is not None:
            notify_of_recording(session, recording, page=context.settings.recording_url, now=clock.now())

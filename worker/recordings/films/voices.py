"""The voices of a whiteboard session: its recordings of type `board` that are only sound."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.recordings import Recording, Rendition
from worker.media.probing.recorded_time import RecordedStretch
from worker.recordings.films.recorded_when import recorded_when


@dataclass(frozen=True)
class Voice:
    """A recording of sound only: its fast copy on B2, and when it was recorded (at least one stretch)."""

    recording_id: int
    object_name: str
    sha1: str | None
    stretches: tuple[RecordedStretch, ...]


def is_voice(recording: Recording) -> bool:
    """Whether an available recording is of type `board` and has sound but no picture."""
    known = recording.recording_metadata or {}
    return recording.recording_type == "board" and known.get("audio_codec") is not None and not known.get("video_codec")


def voices_of(session: Session, session_id: int) -> tuple[Voice, ...]:
    """The playable voices of a session, in the order in which they were recorded."""
    rows = session.execute(
        select(Recording, Rendition)
        .join(Rendition, Rendition.recording_id == Recording.id)
        .where(
            Recording.session_id == session_id,
            Recording.recording_type == "board",
            Recording.is_available,
            Rendition.name == "playback",
            Rendition.state == "ready",
        )
    )
    voices = [_voice(recording, playback) for recording, playback in rows if is_voice(recording)]
    timed = [voice for voice in voices if voice.stretches]
    return tuple(sorted(timed, key=lambda voice: (voice.stretches[0].begun, voice.recording_id)))


def _voice(recording: Recording, playback: Rendition) -> Voice:
    return Voice(recording.id, playback.object_name or "", playback.sha1, recorded_when(recording))

"""The voices of a whiteboard session: its recordings of type `board` that are sound alone."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.recordings import Recording, Rendition
from worker.media.recorded_time import Hole, RecordedStretch, recorded_stretches

# The `origin` of a film that the ingest of a voice has ordered.
VOICE_FILM = "voice-film"


@dataclass(frozen=True)
class Voice:
    """A recording of sound alone: its fast copy on B2, and when it was recorded (at least one stretch)."""

    recording_id: int
    object_name: str
    sha1: str | None
    stretches: tuple[RecordedStretch, ...]


def is_voice(recording: Recording) -> bool:
    """Whether an available recording is the sound of a board, without a picture."""
    known = recording.recording_metadata or {}
    return recording.recording_type == "board" and known.get("audio_codec") is not None and not known.get("video_codec")


def voices_of(session: Session, session_id: int) -> tuple[Voice, ...]:
    """The voices of a session that can be played, in the order in which they were recorded."""
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
    found = [_voice(recording, playback) for recording, playback in rows if is_voice(recording)]
    return tuple(sorted((voice for voice in found if voice.stretches), key=lambda voice: voice.stretches[0].begun))


def _voice(recording: Recording, playback: Rendition) -> Voice:
    return Voice(recording.id, playback.object_name or "", playback.sha1, recorded_when(recording))


def find_voice_film(session: Session, session_id: int, *, but_not: str) -> int | None:
    """The film that a voice of this session has ordered before, unless its bytes have the SHA-1 `but_not`."""
    return session.scalar(
        select(Recording.id).where(
            Recording.session_id == session_id,
            Recording.recording_metadata["origin"].astext == VOICE_FILM,
            Recording.source_sha1 != but_not,
        )
    )


def recorded_when(recording: Recording) -> tuple[RecordedStretch, ...]:
    """When an available recording was recorded, by the server's clock."""
    known = recording.recording_metadata or {}
    length, pauses = int(known.get("duration_ms") or 0), _pauses(recording)
    begun = round(recording.recording_date.timestamp() * 1000)
    if recording.recording_date == recording.created_at:
        # Nobody stated when it began: then it ended when it was uploaded, or before.
        begun -= length + sum(until - start for start, until in pauses)
    return recorded_stretches(begun, length, pauses, _holes(known.get("repairs") or []))


def _pauses(recording: Recording) -> list[tuple[int, int]]:
    """The pauses of the recorder and the sleep of its computer as (from, until), in milliseconds since it began."""
    marks = recording.marks or []
    return [(int(mark["from_ms"]), int(mark["to_ms"])) for mark in marks if mark["kind"] in ("pause", "sleep")]


def _holes(repairs: list[dict[str, int | str]]) -> Iterator[Hole]:
    """Holes that the ingest found: the fast copy plays a `gap`, and has left out a jump of the recorder's clock."""
    for repair in repairs:
        at, length = int(repair.get("at_ms") or 0), int(repair.get("length_ms") or 0)
        if repair.get("kind") in ("gap", "clock-jump") and length > 0:
            yield Hole(at, length, length if repair["kind"] == "gap" else 0)

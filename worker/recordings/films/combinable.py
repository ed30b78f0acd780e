"""The recordings of a whiteboard session that can be combined into one lesson."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from models.recordings import Recording, Rendition
from worker.errors import Conflict
from worker.media.probing.recorded_time import RecordedStretch
from worker.recordings.films.recorded_when import recorded_when


class NothingToCombine(Conflict):
    """The session has fewer than two recordings, or one and nothing drawn."""

    code, title = "nothing-to-combine", "Nothing to combine"


@dataclass(frozen=True)
class Combinable:
    """A recording: its fast copy on B2, its tracks, and when it was recorded (at least one stretch)."""

    recording_id: int
    type: str
    recorded_by: int | None
    object_name: str
    sha1: str | None
    bytes: int
    has_picture: bool
    has_sound: bool
    stretches: tuple[RecordedStretch, ...]


def combinables_of(session: Session, session_id: int) -> tuple[Combinable, ...]:
    """The recordings that people made in this session and that can be played, in the order of recording.

    Films of boards and combined lessons are left out: they are made from these.
    """
    replay = aliased(Rendition)
    rows = session.execute(
        select(Recording, Rendition)
        .join(Rendition, Rendition.recording_id == Recording.id)
        .where(
            Recording.session_id == session_id,
            Recording.is_available,
            Recording.recording_metadata["origin"].is_(None),
            Rendition.name == "playback",
            Rendition.state == "ready",
            ~exists().where(replay.recording_id == Recording.id, replay.name == "replay"),
        )
    )
    recordings = [_combinable(recording, playback) for recording, playback in rows]
    timed = [recording for recording in recordings if recording.stretches]
    return tuple(sorted(timed, key=lambda recording: (recording.stretches[0].begun, recording.recording_id)))


def require_several(recordings: Sequence[Combinable], session_id: int, *, is_drawn: bool) -> None:
    """Raise NothingToCombine unless there are two recordings, or one and a board with strokes."""
    if not recordings or len(recordings) + is_drawn < 2:
        raise NothingToCombine(
            f"Session {session_id} has {len(recordings)} recordings that can be played; a lesson is combined of at "
            "least two, or of one and a board that was drawn on."
        )


def _combinable(recording: Recording, playback: Rendition) -> Combinable:
    known = recording.recording_metadata or {}
    return Combinable(
        recording.id,
        recording.recording_type,
        recording.recorded_by,
        playback.object_name or "",
        playback.sha1,
        playback.bytes or 0,
        has_picture=bool(known.get("video_codec")),
        has_sound=bool(known.get("audio_codec")),
        stretches=recorded_when(recording),
    )

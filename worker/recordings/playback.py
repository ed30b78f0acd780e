"""Data for a player: the renditions, and how long their addresses must be valid."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from models.recordings import Recording, Rendition
from worker.errors import Conflict
from worker.recordings.names import play_prefix, recording_prefix
from worker.recordings.renditions import renditions_of

# Added to the lesson's length: a viewer pauses, goes back, loses the connection.
GRACE_SECONDS = 15 * 60
# Not offered to a viewer: the upload itself, and the still.
_NOT_PLAYED = frozenset({"source", "poster"})


@dataclass(frozen=True)
class PlaybackPlan:
    """The rows to show, the B2 prefix that the download token must cover, and its lifetime in seconds."""

    renditions: list[Rendition]
    poster: Rendition | None
    prefix: str
    seconds: int


def plan_playback(session: Session, recording: Recording) -> PlaybackPlan:
    """Plan the playback of this recording. Raises Conflict when it cannot be played now."""
    if not recording.is_available or recording.source_sha1 is None:
        reason = "still being processed" if recording.is_processing else "not available: its ingest failed"
        raise Conflict(f"Recording {recording.id} is {reason}.")
    rows = renditions_of(session, recording.id)
    poster = next((row for row in rows if row.name == "poster" and row.state == "ready"), None)
    return PlaybackPlan(
        renditions=[row for row in rows if row.name not in _NOT_PLAYED],
        poster=poster,
        prefix=play_prefix(recording_prefix(recording.session_id, recording.id), recording.source_sha1),
        seconds=(recording.duration_seconds or 0) + GRACE_SECONDS,
    )

"""What a player needs: which renditions there are, and how long a lesson's addresses must hold."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from models.recordings import Recording, Rendition
from worker.errors import Conflict
from worker.recordings.names import play_prefix, recording_prefix
from worker.recordings.renditions import renditions_of

# A viewer pauses, goes back, loses the line: the lesson's length and this many seconds.
GRACE_SECONDS = 15 * 60
# What a viewer does not choose from: the upload as it came, and the still.
_NOT_PLAYED = frozenset({"source", "poster"})


@dataclass(frozen=True)
class PlaybackPlan:
    """The rows to show, the B2 prefix a token must open, and for how many seconds."""

    renditions: list[Rendition]
    poster: Rendition | None
    prefix: str
    seconds: int


def plan_playback(session: Session, recording: Recording) -> PlaybackPlan:
    """How this recording is played now. Raises Conflict while it cannot be."""
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

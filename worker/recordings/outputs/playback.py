"""Data for a player: the renditions, and how long their addresses must be valid."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from models.recordings import Recording, Rendition
from worker.errors import Conflict
from worker.recordings.outputs.pictures import is_picture
from worker.recordings.outputs.renditions import renditions_of

# Added to the lesson's length: viewers pause, go back, lose the connection.
GRACE_SECONDS = 15 * 60
# Not offered to viewers for playing: the upload itself, and the still.
_NOT_PLAYED = frozenset({"source", "poster"})


@dataclass(frozen=True)
class PlaybackPlan:
    """The rows to show, and for how many seconds their addresses must be valid.

    While the bytes of an extended recording are ingested, its rows name objects in more than one folder.

    `pictures` are the ready posters by size, the sheets of the storyboard and the preview.
    """

    renditions: list[Rendition]
    poster: Rendition | None
    seconds: int
    pictures: tuple[Rendition, ...] = ()


def plan_playback(session: Session, recording: Recording) -> PlaybackPlan:
    """Plan the playback of this recording, or of the drawn board stored with it if it has no file.

    Raises Conflict when it cannot be played now.
    """
    if not recording.is_available or recording.source_sha1 is None:
        return _plan_board(session, recording)
    rows = renditions_of(session, recording.id)
    poster = next((row for row in rows if row.name == "poster" and row.state == "ready"), None)
    return PlaybackPlan(
        renditions=[row for row in rows if row.name not in _NOT_PLAYED and not is_picture(row.name)],
        poster=poster,
        seconds=(recording.duration_seconds or 0) + GRACE_SECONDS,
        pictures=tuple(row for row in rows if is_picture(row.name) and row.state == "ready"),
    )


def _plan_board(session: Session, recording: Recording) -> PlaybackPlan:
    rows = {row.name: row for row in renditions_of(session, recording.id) if row.state == "ready"}
    document = rows.get("document")
    if recording.is_processing or document is None or document.object_name is None:
        raise Conflict(f"Recording {recording.id} is {_reason(recording)}.", is_processing=recording.is_processing)
    return PlaybackPlan([document], rows.get("poster"), GRACE_SECONDS)


def _reason(recording: Recording) -> str:
    if recording.is_processing:
        return "still being processed"
    if recording.error is not None and recording.error.get("code") == "no-file":
        return "not available: it has no file, and no board that is drawn"
    return "not available: its ingest failed"

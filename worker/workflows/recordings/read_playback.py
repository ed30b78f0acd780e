"""Everything that a player of a recording needs: its files, whether it has chapters, and the languages of captions."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from models.recordings import Recording
from worker.recordings.outputs.playback import PlaybackPlan, plan_playback
from worker.recordings.texts.captions import caption_tracks
from worker.workflows.boards.board_moments import chapters_of


@dataclass(frozen=True)
class PlannedPlayback:
    """The files to play, whether there are chapters, and the languages of the captions."""

    files: PlaybackPlan
    has_chapters: bool
    languages: tuple[str, ...]


def read_playback(session: Session, recording: Recording) -> PlannedPlayback:
    """Plan the playback of this recording. Raises Conflict when it cannot be played now."""
    files = plan_playback(session, recording)
    return PlannedPlayback(
        files,
        has_chapters=bool(chapters_of(session, recording).chapters),
        languages=tuple(track.language for track in caption_tracks(session, recording.id)),
    )

"""Make the rendition `download`: one file of the stored sound, the best stored picture and the chapters."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy.orm import Session

from worker.media.captions.cue import Cue
from worker.media.errors import OutputDamaged
from worker.media.renditions.check_rendition import WrittenRendition, check_download
from worker.media.renditions.write_download import write_download
from worker.recordings.outputs.rendition_rows import StoredTrack, stored_tracks
from worker.recordings.reading import duration_ms, read_recording
from worker.recordings.texts.chapters import chapter_cues
from worker.workflows.boards.board_moments import chapters_of
from worker.workflows.renditions.rendering import Rendering
from worker.workflows.renditions.store_rendition import make_and_store

# Possible pictures, the best for its size first.
_PICTURES = ("board", "360p", "720p")


def make_download(rendering: Rendering) -> None:
    """Make and store it. If the chapters have changed meanwhile, it stays pending and is made again."""
    recording_id = rendering.order.recording_id
    with rendering.context.database.transaction() as session:
        tracks = stored_tracks(session, recording_id)
        chapters = _chapters(session, recording_id)
    make_and_store(
        rendering,
        "download",
        lambda: _write(rendering, tracks, chapters),
        lambda session: _chapters(session, recording_id) == chapters,
    )


def _chapters(session: Session, recording_id: int) -> list[Cue]:
    recording = read_recording(session, recording_id)
    return [] if recording is None else chapter_cues(chapters_of(session, recording).chapters, duration_ms(recording))


def _write(rendering: Rendering, tracks: Mapping[str, StoredTrack], chapters: Sequence[Cue]) -> WrittenRendition:
    picture = next((tracks[name] for name in _PICTURES if name in tracks), None)
    sound = tracks.get("audio-aac")
    if picture is None and sound is None:
        raise OutputDamaged("It is made from the rendition audio-aac and a picture, and none of them is ready.")
    target = rendering.path("download")
    write_download(
        None if picture is None else _local(rendering, picture),
        None if sound is None else _local(rendering, sound),
        target,
        rendering.context.binaries,
        chapters=chapters,
        should_stop=rendering.run.should_stop,
    )
    length = rendering.fast_copy.duration_ms
    return check_download(target, length, rendering.context.binaries, should_stop=rendering.run.should_stop)


def _local(rendering: Rendering, track: StoredTrack) -> Path:
    """The track's file: written by this attempt, or else downloaded."""
    path = rendering.path(track.name)
    if not path.exists():
        rendering.context.store.download(track.object_name, path, sha1=track.sha1)
    return path

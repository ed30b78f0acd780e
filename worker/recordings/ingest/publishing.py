"""The columns of a playable recording: computed by pure functions, and written only here."""

from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import Session

from models.recordings import Recording
from worker.media.probing.streams import VideoStream
from worker.recordings.ingest.playable import Playable
from worker.recordings.outputs.renditions import ready, set_rendition


def publish_recording(
    session: Session,
    recording: Recording,
    playable: Playable,
    *,
    board: dict[str, Any],
    url: str,
    poster_url: str | None,
) -> None:
    """Write the row and its renditions: the lesson is playable once the transaction commits.

    `file_url` and `file_size_bytes` are those of the fast copy; the uploaded bytes are the rendition `source`, still
    pending. `url` and `poster_url` are unsigned.
    """
    recording.file_url = url
    recording.thumbnail_url = poster_url
    recording.file_size_bytes = playable.playback.size
    # Whole seconds; the exact length is `duration_ms` in the metadata.
    recording.duration_seconds = max(1, round(playable.copy.duration_ms / 1000))
    recording.board_snapshot = board
    recording.recording_metadata = _published(recording.recording_metadata or {}, playable)
    recording.is_processing, recording.is_available, recording.error = False, True, None
    recording.updated_at = func.now()
    _write_renditions(session, recording, playable)


def _published(metadata: dict[str, Any], playable: Playable) -> dict[str, Any]:
    """The metadata of a recording with this fast copy, which is of its newest bytes."""
    source = metadata["source"] | describe_source(playable)
    published = {**metadata, **describe(playable), "source": source}
    if published.pop("playback_version", None) is not None and not source.get("recovered"):
        published.pop("recovered", None)
    return published


def describe(playable: Playable) -> dict[str, Any]:
    """The metadata of the fast copy. `bit_rate` is bits per second, `fps` frames per second on average."""
    video, audio = playable.copy.video, playable.copy.audio
    return {
        "container": playable.form.container,
        "mime": playable.mime,
        "codecs": playable.copy.codecs,
        "video_codec": video.codec if video else None,
        "audio_codec": audio.codec if audio else None,
        **_size(video),
        "fps": round(video.frame_rate, 3) if video else None,
        "bit_rate": playable.copy.bit_rate,
        "duration_ms": playable.copy.duration_ms,
        "repairs": [repair.document() for repair in playable.repairs],
    }


def _size(video: VideoStream | None) -> dict[str, int | None]:
    """Width and height as players show the picture: rotated as the phone was held, in square pixels."""
    width, height = video.shown_size if video else (None, None)
    return {"width": width, "height": height}


def describe_source(playable: Playable) -> dict[str, Any]:
    """The metadata of the uploaded bytes: their format and their defects."""
    probed = playable.source
    return {
        "container": probed.container,
        "header_duration_ms": probed.header_duration_ms,
        "duration_ms": probed.duration_ms,
        "parts": len(probed.parts),
        "truncated": probed.truncated,
        "gaps": [{"start_ms": gap.start_ms, "length_ms": gap.length_ms} for gap in probed.gaps],
    }


def _write_renditions(session: Session, recording: Recording, playable: Playable) -> None:
    recording_id, video = recording.id, playable.copy.video
    set_rendition(
        session,
        recording_id,
        "playback",
        **ready(playable.playback),
        mime=playable.mime,
        codecs=playable.copy.codecs,
        **_size(video),
        bit_rate=playable.copy.bit_rate,
        duration_ms=playable.copy.duration_ms,
    )
    if playable.poster is not None and playable.still is not None:
        size = {"width": playable.still.width, "height": playable.still.height}
        set_rendition(session, recording_id, "poster", **ready(playable.poster), mime="image/jpeg", **size)
    if recording.spool_name is not None:
        # Otherwise the row names the object from which the bytes were fetched.
        set_rendition(session, recording_id, "source", state="pending")

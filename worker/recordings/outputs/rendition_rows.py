"""Rows from which renditions are made, and the row `hls`, which names no object."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.recordings import Recording, Rendition
from worker.media.renditions.rendition_forms import PICTURES
from worker.recordings.objects.names import recording_prefix
from worker.recordings.outputs.renditions import set_rendition
from worker.recordings.reading import duration_ms

HLS_MIME = "application/vnd.apple.mpegurl"


@dataclass(frozen=True)
class FastCopy:
    """The fast copy on B2, and where objects of its recording are: `prefix` ends with `/`, `digest` is the source's."""

    object_name: str
    sha1: str | None
    bytes: int
    duration_ms: int
    prefix: str
    digest: str


@dataclass(frozen=True)
class StoredTrack:
    """A rendition of one track in a fragmented MP4 on B2."""

    name: str
    object_name: str
    sha1: str | None


def fast_copy_of(session: Session, recording_id: int) -> FastCopy | None:
    """The ready fast copy of a recording, or None."""
    row = session.execute(
        select(Recording, Rendition)
        .join(Rendition, Rendition.recording_id == Recording.id)
        .where(Recording.id == recording_id, Rendition.name == "playback", Rendition.state == "ready")
    ).one_or_none()
    if row is None:
        return None
    recording, playback = row
    prefix = recording_prefix(recording.session_id, recording_id)
    length = playback.duration_ms or duration_ms(recording) or 0
    return FastCopy(
        playback.object_name or "", playback.sha1, playback.bytes or 0, length, prefix, recording.source_sha1 or ""
    )


def segmented_rows(session: Session, recording_id: int) -> dict[str, Rendition]:
    """The ready renditions that are one track in a fragmented MP4, by name, in the order of bit rates."""
    rows = session.scalars(
        select(Rendition)
        .where(Rendition.recording_id == recording_id, Rendition.state == "ready", Rendition.segments.is_not(None))
        .order_by(Rendition.bit_rate)
    )
    return {row.name: row for row in rows}


def stored_tracks(session: Session, recording_id: int) -> dict[str, StoredTrack]:
    """As `segmented_rows`, reduced to what is needed to make files from them."""
    rows = segmented_rows(session, recording_id)
    return {name: StoredTrack(name, row.object_name or "", row.sha1) for name, row in rows.items()}


def store_hls(session: Session, recording_id: int) -> str:
    """Write the row `hls`; returns its state. Its size is that of the tracks a player starts with on a slow link."""
    rows = segmented_rows(session, recording_id)
    picture = next((row for row in rows.values() if row.name in PICTURES), None)
    begun = [row for row in (picture, rows.get("audio-aac")) if row is not None]
    if not begun:
        reason = "It is made from the rendition audio-aac and pictures, and none of them is ready."
        set_rendition(session, recording_id, "hls", state="failed", reason=reason)
        return "failed"
    set_rendition(
        session,
        recording_id,
        "hls",
        state="ready",
        reason=None,
        mime=HLS_MIME,
        codecs=", ".join(row.codecs for row in begun if row.codecs),
        width=picture and picture.width,
        height=picture and picture.height,
        bytes=sum(row.bytes or 0 for row in begun),
        bit_rate=sum(row.bit_rate or 0 for row in begun),
        duration_ms=max(row.duration_ms or 0 for row in begun),
    )
    return "ready"

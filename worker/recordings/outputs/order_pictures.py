"""Order pictures: a pending row for each, and one job that makes all of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from models.recordings import Recording, Rendition
from worker.jobs.orders.recording_orders import MakePictures
from worker.media.pictures.poster_sizes import FORMS, poster_widths
from worker.recordings.outputs.pending_rows import order_rows
from worker.recordings.outputs.pictures import ACTIVITY, POSTERS, PREVIEW, STORYBOARD
from worker.recordings.outputs.renditions import renditions_of
from worker.recordings.source import playback_version_of

# What people can order: one row each, except posters, which have a row for each size and form.
ORDERABLE = ("posters", STORYBOARD, PREVIEW, ACTIVITY)


def pictures_order(session: Session, recording: Recording) -> MakePictures:
    """The order that makes the pending pictures of this recording."""
    playback = next((row for row in renditions_of(session, recording.id) if row.name == "playback"), None)
    size, seconds = (playback.bytes if playback else None) or 0, recording.duration_seconds or 0
    return MakePictures(recording.id, recording.session_id, seconds, playback_version_of(recording), size)


def order_pictures(session: Session, recording: Recording, rows: Sequence[str], *, principal: str) -> UUID:
    """Order those of these rows of an available recording that are not ready; returns the job.

    Raises NotFound for a deleted recording.
    """
    return order_rows(session, recording, pictures_order(session, recording), rows, principal=principal)


def picture_rows(session: Session, recording_id: int) -> dict[str, list[str]]:
    """The rows that this recording can have, by what people order; without a picture only the map of quiet parts."""
    stored = {row.name: row for row in renditions_of(session, recording_id) if row.state == "ready"}
    playback, poster = stored.get("playback"), stored.get("poster")
    rows = {}
    if poster is not None:
        rows["posters"] = poster_names(poster)
    if playback is not None and playback.width and playback.height:
        rows |= {STORYBOARD: [STORYBOARD], PREVIEW: [PREVIEW]}
    return rows | {ACTIVITY: [ACTIVITY]}


def all_rows(rows: Mapping[Any, list[str]]) -> list[str]:
    """The names of all these rows."""
    return [name for names in rows.values() for name in names]


def poster_names(poster: Rendition) -> list[str]:
    """The rows for the sizes and forms of a poster."""
    sizes: Iterable[int] = poster_widths(poster.width or 0, poster.height or 0)
    return [poster_name(size, form) for size in sizes for form in FORMS]


def poster_name(size: int, form: str) -> str:
    """`poster-320` is a JPEG, `poster-320-webp` a WebP."""
    return f"{POSTERS}{size}{'' if form == 'jpg' else f'-{form}'}"

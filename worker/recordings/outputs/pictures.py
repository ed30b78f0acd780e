"""The rows of a recording's pictures: posters, the sheets of the storyboard, the preview, the map of quiet parts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from models.recordings import Recording, Rendition
from worker.media.captions.cue import Cue
from worker.media.probing.recorded_time import RecordedStretch
from worker.recordings.films.recorded_when import recorded_when
from worker.recordings.objects.names import recording_prefix
from worker.recordings.outputs.renditions import renditions_of, set_rendition
from worker.recordings.source import playback_version_of

STORYBOARD, PREVIEW, ACTIVITY = "storyboard", "preview", "activity"
POSTERS = "poster-"


@dataclass(frozen=True)
class PicturedRecording:
    """A playable recording: what its pictures are made from."""

    recording_id: int
    session_id: int
    prefix: str
    sha1: str
    version: int
    type: str
    duration_ms: int
    # Displayed width and height in pixels; None if it has only sound.
    size: tuple[int, int] | None
    has_sound: bool
    playback: Rendition
    poster: Rendition | None
    # The SHA-1 of the strokes of a board's film.
    replay_sha1: str | None
    stretches: tuple[RecordedStretch, ...]
    names: frozenset[str]


@dataclass(frozen=True)
class PictureRow:
    """A row to write: its name, its state and the other columns."""

    name: str
    state: str
    columns: Mapping[str, Any] = field(default_factory=dict)


def find_pictured(session: Session, recording_id: int) -> PicturedRecording | None:
    """The recording; None when it was deleted or cannot be played."""
    recording = session.get(Recording, recording_id)
    rows = {row.name: row for row in renditions_of(session, recording_id)}
    playback = rows.get("playback")
    if recording is None or recording.source_sha1 is None or playback is None or playback.state != "ready":
        return None
    known = recording.recording_metadata or {}
    poster, replay = rows.get("poster"), rows.get("replay")
    size = (playback.width, playback.height) if playback.width and playback.height else None
    return PicturedRecording(
        recording_id=recording.id,
        session_id=recording.session_id,
        prefix=recording_prefix(recording.session_id, recording.id),
        sha1=recording.source_sha1,
        version=playback_version_of(recording),
        type=recording.recording_type,
        duration_ms=playback.duration_ms or known.get("duration_ms") or 0,
        size=size,
        has_sound=known.get("audio_codec") is not None,
        playback=playback,
        poster=poster if poster is not None and poster.state == "ready" else None,
        replay_sha1=replay.sha1 if replay is not None and replay.state == "ready" else None,
        stretches=recorded_when(recording),
        names=frozenset(rows),
    )


def write_rows(session: Session, recording_id: int, rows: Sequence[PictureRow]) -> None:
    """Write these rows; surplus sheets of an earlier storyboard are deleted."""
    sheets = {row.name for row in rows if is_sheet(row.name)}
    if sheets:
        session.execute(
            delete(Rendition).where(
                Rendition.recording_id == recording_id,
                Rendition.name.startswith(f"{STORYBOARD}-"),
                Rendition.name.not_in(sheets),
            )
        )
    for row in rows:
        set_rendition(session, recording_id, row.name, **{"reason": None, **row.columns, "state": row.state})


def drop_pictures(session: Session, recording_id: int) -> None:
    """Delete the rows that were made from an earlier fast copy; the sweep removes their objects."""
    names = [row.name for row in renditions_of(session, recording_id) if is_picture(row.name)]
    session.execute(delete(Rendition).where(Rendition.recording_id == recording_id, Rendition.name.in_(names)))


def sheet_name(number: int) -> str:
    """The row of a storyboard sheet, counted from 1: `storyboard`, `storyboard-2` …"""
    return STORYBOARD if number == 1 else f"{STORYBOARD}-{number}"


def sheets_of(rows: Iterable[Rendition]) -> list[Rendition]:
    """The sheets of the storyboard in their order."""
    return sorted(
        (row for row in rows if is_sheet(row.name) and row.tiles), key=lambda row: (row.tiles or {})["times_ms"][0]
    )


def storyboard_cues(sheets: Sequence[tuple[str, Mapping[str, Any]]], duration_ms: int) -> list[Cue]:
    """The cues of a storyboard: each names the address of its sheet and its tile there (`#xywh`, media fragments).

    `sheets` are (address, tiles) in order. A tile is shown from its moment to that of the next one, the first from the
    start, the last to the end.
    """
    tiles = [
        (at, f"{url}{_fragment(sheet, number)}") for url, sheet in sheets for number, at in enumerate(sheet["times_ms"])
    ]
    starts = [at if number else 0 for number, (at, _) in enumerate(tiles)]
    ends = [*starts[1:], max(duration_ms, starts[-1] + 1)] if tiles else []
    return [Cue(start, end, text) for start, end, (_, text) in zip(starts, ends, tiles, strict=True) if end > start]


def _fragment(sheet: Mapping[str, Any], number: int) -> str:
    row, column = divmod(number, sheet["columns"])
    width, height = sheet["width"], sheet["height"]
    return f"#xywh={column * width},{row * height},{width},{height}"


def is_sheet(name: str) -> bool:
    """Whether a rendition is a sheet of the storyboard."""
    return name == STORYBOARD or name.startswith(f"{STORYBOARD}-")


def is_picture(name: str) -> bool:
    """Whether a rendition is not for playing the recording."""
    return is_sheet(name) or name in (PREVIEW, ACTIVITY) or name.startswith(POSTERS)

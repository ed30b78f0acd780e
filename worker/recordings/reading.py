"""Read recordings for the API: one recording, lists, its stored board, its metadata."""

from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import IO, Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, text
from sqlalchemy.orm import Session

from models.recordings import Recording
from worker.errors import NotFound

# As text, sliced by the database: parsed JSON takes ten times its size in memory.
_KEPT_BOARD = text(
    """
    WITH kept AS MATERIALIZED (SELECT board_snapshot::text AS board FROM whiteboard_session_recordings WHERE id = :id)
    SELECT substr(board, cut, 250000) FROM kept, generate_series(1, length(board), 250000) AS cut
    """
)
_STREAMED = {"stream_results": True, "yield_per": 1}


def find_recording(session: Session, recording_id: int, visible: ColumnElement[bool]) -> Recording:
    """The recording, if it is `visible` to the caller; raises NotFound otherwise."""
    recording = session.scalar(select(Recording).where(Recording.id == recording_id, visible))
    if recording is None:
        raise NotFound(f"There is no recording {recording_id}.")
    return recording


def read_recording(session: Session, recording_id: int) -> Recording | None:
    """The recording; None when it was deleted."""
    return session.get(Recording, recording_id)


def ingest_jobs(session: Session, recording_ids: Sequence[int]) -> dict[int, UUID | None]:
    """The ingest job of each of these recordings."""
    rows = session.execute(select(Recording.id, Recording.job_id).where(Recording.id.in_(recording_ids)))
    return {row.id: row.job_id for row in rows}


def write_kept_board(session: Session, out: IO[bytes], recording_id: int) -> None:
    """Write the board stored with a recording as JSON, `null` when there is none; at most a megabyte at a time."""
    none = True
    with session.execute(_KEPT_BOARD, {"id": recording_id}, execution_options=_STREAMED) as pieces:
        for (piece,) in pieces:
            out.write(piece.encode())
            none = False
    if none:
        out.write(b"null")


def kept_board(session: Session, recording_id: int) -> str | None:
    """The board stored with a recording as JSON text; None without one."""
    return "".join(session.scalars(_KEPT_BOARD, {"id": recording_id})) or None


def list_recordings(
    session: Session, visible: ColumnElement[bool], *, session_id: int | None, before: int | None, limit: int
) -> list[Recording]:
    """At most `limit` recordings with ids below `before`, newest first."""
    query = select(Recording).where(visible).order_by(Recording.id.desc()).limit(limit)
    if session_id is not None:
        query = query.where(Recording.session_id == session_id)
    if before is not None:
        query = query.where(Recording.id < before)
    return list(session.scalars(query))


def duration_ms(recording: Recording) -> int | None:
    """How long the recording plays; None while unknown."""
    measured = (recording.recording_metadata or {}).get("duration_ms")
    if isinstance(measured, int):
        return measured
    return None if recording.duration_seconds is None else recording.duration_seconds * 1000


def shown_metadata(recording: Recording, retention: float) -> dict[str, Any] | None:
    """The metadata of a recording, with `bytes_kept_until` for a failed one whose bytes still exist.

    `retention` is the setting SPOOL_RETENTION in seconds.
    """
    failed = recording.error is not None and not (recording.is_processing or recording.is_available)
    if not failed or recording.spool_name is None:
        return recording.recording_metadata
    until = (recording.updated_at + timedelta(seconds=retention)).astimezone(UTC)
    return {**(recording.recording_metadata or {}), "bytes_kept_until": until.isoformat(timespec="seconds")}

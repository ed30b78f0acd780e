"""Rows of recordings. None has a file that could be imported; each keeps its board."""

from collections.abc import Mapping, Sequence

from psycopg.sql import SQL, Identifier
from sqlalchemy.orm import Session

from worker.jobs.enqueue import enqueue
from worker.jobs.orders.board_orders import DrawRecordingBoard
from worker.platform.catalog import Column
from worker.platform.connection import Row
from worker.platform.links import Link, our_ids
from worker.platform.refusals import Refusal
from worker.platform.source import Source
from worker.recordings.platform_recordings import PlatformRecording, remove_recordings, store_recording
from worker.workflows.platform_import.boards.sessions import BOARD, without_board
from worker.workflows.platform_import.kind import ImportOutcome, IncomingRow, Kind, Pull
from worker.workflows.platform_import.words import recording_type

_TABLE = "whiteboard_session_recordings"
_SNAPSHOT = Column(_TABLE, "board_snapshot", "jsonb")


class Recordings(Kind):
    """Recordings, whose boards are read one at a time: each may have megabytes."""

    name = "recording"
    # Version 2 draws the boards.
    version = 2
    source = Source(
        _TABLE,
        {
            "id": Column(_TABLE, "id", "integer", required=True),
            "session_id": Column(_TABLE, "session_id", "integer", required=True),
            "title": Column(_TABLE, "recording_title", "varchar"),
            "type": Column(_TABLE, "recording_type", "varchar"),
            "file_url": Column(_TABLE, "file_url", "text"),
            "duration_seconds": Column(_TABLE, "duration_seconds", "integer"),
            "metadata": Column(_TABLE, "recording_metadata", "jsonb"),
            "recording_date": Column(_TABLE, "recording_date", "timestamp"),
            "created_at": Column(_TABLE, "created_at", "timestamp"),
        },
        changed=(Column(_TABLE, "created_at", "timestamp"),),
        only_arrives=True,
    )

    def store(self, session: Session, rows: Sequence[IncomingRow], pull: Pull) -> Sequence[ImportOutcome]:
        boards = our_ids(session, BOARD, {incoming.row.session_id for incoming in rows})
        return [self._store_one(session, incoming, boards.get(incoming.row.session_id), pull) for incoming in rows]

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:  # noqa: ARG002
        remove_recordings(session, [link.id for link in links if link.id is not None])

    def _store_one(self, session: Session, incoming: IncomingRow, board_id: int | None, pull: Pull) -> ImportOutcome:
        row = incoming.row
        if board_id is None:
            return ImportOutcome(row.id, incoming.id, (without_board(row.session_id),))
        recording = _recording(incoming, board_id, pull)
        recording_id = store_recording(session, recording)
        if recording.board is not None:
            enqueue(session, DrawRecordingBoard(recording_id))
        if recording_type(row.type) is not None:
            return ImportOutcome(row.id, recording_id)
        reason = f"type {row.type!r} is unknown and taken as video"
        refusal = Refusal("unknown-type", reason, "Set a type that the platform knows.", is_refused=False)
        return ImportOutcome(row.id, recording_id, (refusal,))


def _recording(incoming: IncomingRow, board_id: int, pull: Pull) -> PlatformRecording:
    row = incoming.row
    seconds = row.duration_seconds
    return PlatformRecording(
        incoming.id,
        row.id,
        board_id,
        title=row.title,
        type=recording_type(row.type) or "video",
        duration_seconds=seconds if seconds is not None and seconds >= 0 else None,
        board=_board(row, pull),
        recorded_by=_recorder(row),
        file_url=row.file_url or None,
        recorded_at=pull.written_at(row.recording_date),
        created_at=pull.written_at(row.created_at),
    )


def _board(row: Row, pull: Pull) -> str | None:
    """The snapshot as text, stored unchanged."""
    if not pull.catalog.has(_SNAPSHOT):
        return None
    statement = SQL("SELECT CAST(board_snapshot AS text) AS board FROM {} WHERE id = %(id)s").format(Identifier(_TABLE))
    rows = pull.connection.rows(statement, {"id": row.id}, seconds=10.0)
    return rows[0].board if rows else None


def _recorder(row: Row) -> int | None:
    recorder = row.metadata.get("recorded_by") if isinstance(row.metadata, Mapping) else None
    return recorder if isinstance(recorder, int) and 0 < recorder < 2**31 else None

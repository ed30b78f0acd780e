"""Draw the board stored with a recording of the platform, which has no playable file."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from worker.canvases.board import DrawnBoard, DrawnPage
from worker.canvases.drawing.pdf import write_pdf
from worker.canvases.drawing.raster import pixel_size, write_png
from worker.canvases.stored.pages import read_board
from worker.jobs.orders.board_orders import DrawRecordingBoard
from worker.jobs.runs.job_run import JobRun
from worker.platform.loaders import parse_json
from worker.recordings.objects.names import board_name, board_picture_name, recording_prefix
from worker.recordings.outputs.renditions import is_named, ready, set_rendition
from worker.recordings.reading import kept_board
from worker.recordings.source import lock_recording
from worker.storage.objects import StoredObject
from worker.uploads.private_files import report_full_disk
from worker.workflows.context import WorkerContext


@dataclass(frozen=True)
class _KeptBoard:
    """A board, and the names of the objects that show exactly this one."""

    board: DrawnBoard
    document: str
    picture: str


@dataclass(frozen=True)
class _Stored:
    document: StoredObject
    picture: StoredObject
    size: tuple[int, int]


def draw_recording(run: JobRun, order: DrawRecordingBoard, context: WorkerContext) -> None:
    """Store the board as a document, the rendition `document`, and a picture of it, the poster.

    Idempotent: objects are named by the board. Nothing is drawn for a recording that has a file, was deleted, or has no
    board with pages.
    """
    with context.database.transaction() as session:
        kept = _read(session, order.recording_id)
        is_drawn = kept is not None and is_named(session, kept.document)
    if kept is None or is_drawn:
        run.succeed({"recording_id": order.recording_id, "state": "nothing" if kept is None else "unchanged"})
        return
    with report_full_disk(), context.spool.workspace(run.claim.job_id) as folder:
        stored = _store(run, context, kept, folder)
    run.check()
    skipped = sum(len(page.skipped) for page in kept.board.pages)
    result = {
        "recording_id": order.recording_id,
        "state": "drawn",
        "pages": len(kept.board.pages),
        "skipped": skipped,
    }
    with run.finish(result) as session:
        recording = lock_recording(session, order.recording_id)
        if recording is not None and not recording.is_available and not recording.is_processing:
            width, height = stored.size
            set_rendition(session, recording.id, "document", **ready(stored.document), mime="application/pdf")
            columns = ready(stored.picture) | {"mime": "image/png", "width": width, "height": height}
            set_rendition(session, recording.id, "poster", **columns)


def _read(session: Session, recording_id: int) -> _KeptBoard | None:
    recording = lock_recording(session, recording_id)
    if recording is None or recording.is_available or recording.is_processing:
        return None
    text = kept_board(session, recording_id)
    document: Any = None if text is None else parse_json(text)
    if text is None or not isinstance(document, Mapping):
        return None
    board = read_board(document, title=recording.recording_title or f"Recording {recording_id}")
    if not board.pages:
        return None
    prefix = recording_prefix(recording.session_id, recording_id)
    digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return _KeptBoard(board, board_name(prefix, digest), board_picture_name(prefix, digest))


def _store(run: JobRun, context: WorkerContext, kept: _KeptBoard, folder: Path) -> _Stored:
    document, picture = folder / "board.pdf", folder / "board.png"
    write_pdf(kept.board.pages, document, kept.board.title)
    page = _first_drawn(kept.board)
    with picture.open("wb") as out:
        write_png(page, out)
    run.check()

    def upload(path: Path, name: str, mime: str) -> StoredObject:
        return context.store.upload(path, name, content_type=mime, should_stop=run.should_stop)

    return _Stored(
        upload(document, kept.document, "application/pdf"),
        upload(picture, kept.picture, "image/png"),
        pixel_size(page, 1.0),
    )


def _first_drawn(board: DrawnBoard) -> DrawnPage:
    return next((page for page in board.pages if page.drawn), board.pages[0])

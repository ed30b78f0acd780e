"""Make the pictures of a recording: posters in several sizes, the storyboard, the preview, the map of quiet parts."""

from collections.abc import Collection, Iterator, Mapping

from worker.errors import AstegniError
from worker.jobs.operations.subject_jobs import live_jobs
from worker.jobs.orders.board_orders import ReplayBoard
from worker.jobs.orders.recording_orders import MakePictures
from worker.jobs.runs.job_run import JobRun
from worker.recordings.outputs.pending_rows import MoreOrdered, begin_pending, require_none_pending
from worker.recordings.outputs.pictures import (
    ACTIVITY,
    POSTERS,
    PREVIEW,
    STORYBOARD,
    PictureRow,
    find_pictured,
    is_picture,
    write_rows,
)
from worker.recordings.source import lock_recording, playback_version_of
from worker.recordings.texts.chapters import set_scene_chapters
from worker.uploads.private_files import report_full_disk
from worker.workflows.context import WorkerContext
from worker.workflows.pictures.drawn_times import replay_of
from worker.workflows.pictures.picture_attempt import PictureAttempt
from worker.workflows.pictures.picture_files import write_activity, write_posters, write_previews, write_sheets
from worker.workflows.pictures.scene_chapters import scene_chapter_starts
from worker.workflows.pictures.store_pictures import make_and_store_pictures
from worker.workflows.renditions.renew_download import renew_download


class ReplayUnfinished(AstegniError):
    """The film of a board is registered, and its strokes are about to be stored."""

    code, title, status, retryable = "replay-unfinished", "The board is still being filmed", 409, True


def make_pictures(run: JobRun, order: MakePictures, context: WorkerContext) -> None:
    """Make, store and register the pending pictures; a recording deleted or extended meanwhile has another job.

    Raises ReplayUnfinished while a job still films the board of the session: its strokes make better pictures.
    """
    with context.database.transaction() as session:
        recording = find_pictured(session, order.recording_id)
        filming = live_jobs(session, [f"session:{order.session_id}"]).values()
        if recording is None or recording.version != order.version:
            return
        if recording.type == "board" and recording.size is not None and ReplayBoard.kind in filming:
            raise ReplayUnfinished(f"The board of recording {order.recording_id} is still being filmed.")
        names = begin_pending(session, order.recording_id, is_picture)
    with report_full_disk(), context.spool.workspace(run.claim.job_id) as folder:
        _make_all(PictureAttempt(run, context, recording, folder), order, names)


def _make_all(attempt: PictureAttempt, order: MakePictures, names: Collection[str]) -> None:
    rows: dict[str, PictureRow] = {}
    while True:
        rows |= {row.name: row for row in _rows(attempt, names)}
        starts = scene_chapter_starts(attempt)
        try:
            _finish(attempt, order, rows, starts)
        except MoreOrdered as more:
            names = more.names
        else:
            break
    if starts:
        with attempt.context.database.transaction() as session:
            renew_download(session, order.recording_id, principal=attempt.run.claim.principal)


def _rows(attempt: PictureAttempt, names: Collection[str]) -> Iterator[PictureRow]:
    """The rows of these pictures, either stored or with the reason why they could not be made."""
    written = set()
    for row in _stored_rows(attempt, names):
        written.add(row.name)
        yield row
    for name in names:
        if name not in written:
            yield PictureRow(name, "failed", {"reason": "There is nothing in the recording to make it from."})


def _stored_rows(attempt: PictureAttempt, names: Collection[str]) -> Iterator[PictureRow]:
    run = attempt.run
    posters = [name for name in names if name.startswith(POSTERS)]
    if posters:
        run.progress(1, "posters")
        yield from make_and_store_pictures(attempt, posters, lambda: write_posters(attempt))
    needs_images = STORYBOARD in names or PREVIEW in names
    timeline = None
    if needs_images or ACTIVITY in names:
        run.progress(10, "reading the board")
        timeline = replay_of(attempt.context, attempt.recording, attempt.folder)
        attempt.fetch(timeline)
    film = attempt.film() if needs_images and timeline is None else None
    if STORYBOARD in names and (timeline or film):
        run.progress(40, "the storyboard")
        yield from make_and_store_pictures(attempt, [STORYBOARD], lambda: write_sheets(attempt, timeline, film))
    if PREVIEW in names and (timeline or film):
        run.progress(60, "the preview")
        yield from make_and_store_pictures(attempt, [PREVIEW], lambda: write_previews(attempt, timeline, film))
    if ACTIVITY in names:
        run.progress(70, "listening")
        yield from make_and_store_pictures(attempt, [ACTIVITY], lambda: write_activity(attempt, timeline))


def _finish(
    attempt: PictureAttempt, order: MakePictures, rows: Mapping[str, PictureRow], starts: list[int] | None
) -> None:
    with attempt.run.finish({row.name: row.state for row in rows.values()}) as session:
        locked = lock_recording(session, order.recording_id)
        if locked is not None and playback_version_of(locked) == order.version:
            write_rows(session, order.recording_id, list(rows.values()))
            require_none_pending(session, order.recording_id, is_picture)
            if starts is not None:
                set_scene_chapters(session, order.recording_id, starts)

"""Make the pictures of a recording: posters in several sizes, the storyboard, the preview, the map of quiet parts.

Each is made and stored on its own: one that fails takes no other with it.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from worker.canvases.replay.frame_canvas import HEIGHT, WIDTH
from worker.canvases.replay.storyboard import draw_tiles, write_drawn_storyboard
from worker.canvases.replay.timeline import ReplayTimeline
from worker.errors import AstegniError, InvalidInput
from worker.jobs.board_orders import ReplayBoard
from worker.jobs.job_run import JobRun
from worker.jobs.reading import live_jobs
from worker.jobs.recording_orders import MakePictures
from worker.media.decoding.sampling import Film, film_of
from worker.media.decoding.sound_levels import measure_levels, spoken_stretches
from worker.media.errors import FfmpegFailed, FfmpegTimeout, MediaRejected, OutputDamaged
from worker.media.pictures.poster_sizes import write_poster_sizes
from worker.media.pictures.preview import PICTURES, preview_size, write_drawn_preview, write_preview
from worker.media.pictures.scenes import chapter_starts, find_scene_changes
from worker.media.pictures.storyboard import COLUMNS, Sheet, plan_storyboard, write_storyboard
from worker.media.probing.header import read_header
from worker.recordings.activity import activity_document, quiet_of, quiet_stretches
from worker.recordings.chapters import set_scene_chapters
from worker.recordings.names import picture_name
from worker.recordings.order_pictures import poster_name
from worker.recordings.pending_rows import MoreOrdered, begin_pending, require_none_pending
from worker.recordings.pictures import (
    ACTIVITY,
    POSTERS,
    PREVIEW,
    STORYBOARD,
    PicturedRecording,
    PictureRow,
    find_pictured,
    is_picture,
    sheet_name,
    write_rows,
)
from worker.recordings.renditions import ready
from worker.recordings.source import lock_recording, version_of
from worker.uploads.private_files import full_disk_named
from worker.workflows.context import WorkerContext
from worker.workflows.drawn_times import drawn_stretches, is_drawn_on, replay_of
from worker.workflows.renew_download import renew_download

_MIMES = {"jpg": "image/jpeg", "webp": "image/webp", "json": "application/json"}
_ACTIVITY_FILE = "activity.json"
# Faults of this recording, which no retry can fix; everything else fails the attempt.
_FAULTS = (FfmpegFailed, FfmpegTimeout, MediaRejected, OutputDamaged, InvalidInput)


class ReplayUnfinished(AstegniError):
    """The film of a board is registered, and its strokes are about to be stored."""

    code, title, status, retryable = "replay-unfinished", "The board is still filmed", 409, True


@dataclass(frozen=True)
class _Picture:
    """A file that was made: its row, its extension, and further columns of the row."""

    name: str
    path: Path
    form: str
    columns: dict[str, object]


@dataclass(frozen=True)
class _Job:
    """One attempt: its run, its dependencies, the recording and the folder that is deleted at the end."""

    run: JobRun
    context: WorkerContext
    recording: PicturedRecording
    folder: Path


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
            raise ReplayUnfinished(f"The board of recording {order.recording_id} is still filmed.")
        names = begin_pending(session, order.recording_id, is_picture)
    with full_disk_named(), context.spool.workspace(run.claim.job_id) as folder:
        _make_all(_Job(run, context, recording, folder), order, names)


def _make_all(job: _Job, order: MakePictures, names: Collection[str]) -> None:
    rows: dict[str, PictureRow] = {}
    while True:
        rows |= {row.name: row for row in _rows(job, names)}
        starts = _chapter_starts(job)
        try:
            _finish(job, order, rows, starts)
        except MoreOrdered as more:
            names = more.names
        else:
            break
    if starts:
        with job.context.database.transaction() as session:
            renew_download(session, order.recording_id, principal=job.run.claim.principal)


def _finish(job: _Job, order: MakePictures, rows: Mapping[str, PictureRow], starts: list[int] | None) -> None:
    with job.run.finish({row.name: row.state for row in rows.values()}) as session:
        locked = lock_recording(session, order.recording_id)
        if locked is not None and version_of(locked) == order.version:
            write_rows(session, order.recording_id, list(rows.values()))
            require_none_pending(session, order.recording_id, is_picture)
            if starts is not None:
                set_scene_chapters(session, order.recording_id, starts)


def _rows(job: _Job, names: Collection[str]) -> Iterator[PictureRow]:
    """The rows of these pictures, each made or with the reason why it could not be."""
    made = set()
    for row in _made_rows(job, names):
        made.add(row.name)
        yield row
    for name in names:
        if name not in made:
            yield PictureRow(name, "failed", {"reason": "The recording has nothing to make it of."})


def _made_rows(job: _Job, names: Collection[str]) -> Iterator[PictureRow]:
    posters = [name for name in names if name.startswith(POSTERS)]
    if posters:
        job.run.progress(1, "posters")
        yield from _made(job, posters, lambda: _posters(job))
    drawn = STORYBOARD in names or PREVIEW in names
    timeline = None
    if drawn or ACTIVITY in names:
        job.run.progress(10, "reading the board")
        timeline = replay_of(job.context, job.recording, job.folder)
        _fetch(job, timeline)
    film = _film(job) if drawn and timeline is None else None
    if STORYBOARD in names and (timeline or film):
        job.run.progress(40, "the storyboard")
        yield from _made(job, [STORYBOARD], lambda: _storyboard(job, timeline, film))
    if PREVIEW in names and (timeline or film):
        job.run.progress(60, "the preview")
        yield from _made(job, [PREVIEW], lambda: _preview(job, timeline, film))
    if ACTIVITY in names:
        job.run.progress(70, "listening")
        yield from _made(job, [ACTIVITY], lambda: _activity(job, timeline))


def _fetch(job: _Job, timeline: ReplayTimeline | None) -> None:
    """Download the fast copy, unless the strokes are all there is of it."""
    recording = job.recording
    if timeline is None or recording.has_sound:
        job.run.progress(20, "fetching the film")
        name, sha1 = recording.playback.object_name or "", recording.playback.sha1
        job.context.store.download(name, _playback(job), sha1=sha1)


def _film(job: _Job) -> Film | None:
    """The downloaded film, None for sound alone."""
    recording = job.recording
    if recording.size is None:
        return None
    header = read_header(_playback(job), job.context.binaries, should_stop=job.run.should_stop)
    return film_of(_playback(job), header, recording.size, recording.duration_ms)


def _playback(job: _Job) -> Path:
    return job.folder / "playback"


def _made(job: _Job, names: Sequence[str], make: Callable[[], Sequence[_Picture]]) -> Iterator[PictureRow]:
    """The rows of pictures that are on B2; where they cannot be made, the rows of these names say why."""
    job.run.check()
    try:
        pictures = make()
    except _FAULTS as error:
        yield from (PictureRow(name, "failed", {"reason": _reason(error)}) for name in names)
        return
    for picture in pictures:
        yield PictureRow(picture.name, "ready", _store(job, picture))


def _reason(error: AstegniError) -> str:
    return str(error.members.get("program_error", error.detail))


def _store(job: _Job, picture: _Picture) -> dict[str, object]:
    """Put the file on B2, where it is verified; returns the columns of its row."""
    recording, mime = job.recording, _MIMES[picture.form]
    with picture.path.open("rb") as file:
        sha1 = hashlib.file_digest(file, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()
    name = picture_name(recording.prefix, recording.sha1, picture.name, sha1, picture.form)
    stored = job.context.store.upload(picture.path, name, content_type=mime, sha1=sha1, should_stop=job.run.should_stop)
    return {**ready(stored), "mime": mime, **picture.columns}


def _posters(job: _Job) -> Sequence[_Picture]:
    poster = job.recording.poster
    if poster is None:
        return ()
    path = job.folder / "poster.jpg"
    job.context.store.download(poster.object_name or "", path, sha1=poster.sha1)
    sizes = write_poster_sizes(path, job.folder, job.context.binaries, should_stop=job.run.should_stop)
    return [
        _Picture(poster_name(one.size, one.form), one.path, one.form, {"width": one.width, "height": one.height})
        for one in sizes
    ]


def _storyboard(job: _Job, timeline: ReplayTimeline | None, film: Film | None) -> Sequence[_Picture]:
    """The sheets, drawn from the strokes where there are any."""
    if timeline is not None:
        plan = plan_storyboard(timeline.duration_ms, (WIDTH, HEIGHT))
        sheets = write_drawn_storyboard(timeline, job.folder, plan)
    elif film is not None:
        plan = plan_storyboard(film.duration_ms, (film.width, film.height))
        sheets = write_storyboard(film, job.folder, plan, job.context.binaries, should_stop=job.run.should_stop)
    else:
        return ()
    return [_sheet(number, sheet, (plan.width, plan.height)) for number, sheet in enumerate(sheets, start=1)]


def _sheet(number: int, sheet: Sheet, tile: tuple[int, int]) -> _Picture:
    tiles = {"width": tile[0], "height": tile[1], "columns": COLUMNS, "times_ms": list(sheet.times_ms)}
    columns = {"width": sheet.width, "height": sheet.height, "tiles": tiles}
    return _Picture(sheet_name(number), sheet.path, "jpg", columns)


def _preview(job: _Job, timeline: ReplayTimeline | None, film: Film | None) -> Sequence[_Picture]:
    """The preview, drawn from the strokes where there are any."""
    target, stop = job.folder / "preview.webp", job.run.should_stop
    if timeline is not None:
        size = preview_size((WIDTH, HEIGHT))
        # The last picture is the finished board.
        times = [timeline.duration_ms * (number + 1) // PICTURES for number in range(PICTURES)]
        pictures = (tile.data for tile in draw_tiles(timeline, times, *size))
        write_drawn_preview(pictures, size, target, job.context.binaries, should_stop=stop)
    elif film is not None:
        size = preview_size((film.width, film.height))
        write_preview(film, target, job.context.binaries, should_stop=stop)
    else:
        return ()
    return [_Picture(PREVIEW, target, "webp", {"width": size[0], "height": size[1]})]


def _activity(job: _Job, timeline: ReplayTimeline | None) -> Sequence[_Picture]:
    length, spoken = job.recording.duration_ms, []
    if job.recording.has_sound:
        stop = job.run.should_stop
        levels = measure_levels(_playback(job), job.folder, job.context.binaries, duration_ms=length, should_stop=stop)
        spoken = spoken_stretches(levels)
    quiet = quiet_stretches(spoken, drawn_stretches(job.context, job.recording, timeline), length)
    target = job.folder / _ACTIVITY_FILE
    target.write_bytes(activity_document(quiet, length))
    return [_Picture(ACTIVITY, target, "json", {"duration_ms": length})]


def _chapter_starts(job: _Job) -> list[int] | None:
    """Where the chapters of a film without a board begin; None for others, whose boards say more of them."""
    recording = job.recording
    activity = job.folder / _ACTIVITY_FILE
    if recording.size is None or is_drawn_on(job.context, recording) or not activity.exists():
        return None
    job.run.progress(85, "looking for chapters")
    silences = quiet_of(activity.read_bytes()) if recording.has_sound else None
    try:
        film = _film(job)
        changes = (
            find_scene_changes(film, job.folder, job.context.binaries, should_stop=job.run.should_stop) if film else []
        )
    except _FAULTS:
        return None
    return chapter_starts(changes, silences, recording.duration_ms)

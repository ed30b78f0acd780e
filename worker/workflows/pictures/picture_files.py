"""The files of each kind of picture; recordings with strokes are drawn from them, not from the film."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from worker.canvases.replay.frame_canvas import HEIGHT, WIDTH
from worker.canvases.replay.storyboard import draw_tiles, write_drawn_storyboard
from worker.canvases.replay.timeline import ReplayTimeline
from worker.media.decoding.sampling import Film
from worker.media.decoding.sound_levels import measure_levels, spoken_stretches
from worker.media.pictures.poster_sizes import write_poster_sizes
from worker.media.pictures.preview import PICTURES, preview_size, write_drawn_preview, write_preview
from worker.media.pictures.storyboard import COLUMNS, Sheet, plan_storyboard, write_storyboard
from worker.recordings.activity import activity_document, quiet_stretches
from worker.recordings.outputs.order_pictures import poster_name
from worker.recordings.outputs.pictures import ACTIVITY, PREVIEW, sheet_name
from worker.workflows.pictures.drawn_times import drawn_stretches
from worker.workflows.pictures.picture_attempt import PictureAttempt


@dataclass(frozen=True)
class PictureFile:
    """A file that was made: its row, its extension, and further columns of the row."""

    name: str
    path: Path
    form: str
    columns: dict[str, object]


def write_posters(attempt: PictureAttempt) -> Sequence[PictureFile]:
    """The poster in each size and form; none if the recording has only sound."""
    poster = attempt.recording.poster
    if poster is None:
        return ()
    path, stop = attempt.folder / "poster.jpg", attempt.run.should_stop
    attempt.context.store.download(poster.object_name or "", path, sha1=poster.sha1)
    sizes = write_poster_sizes(path, attempt.folder, attempt.context.binaries, should_stop=stop)
    return [
        PictureFile(
            poster_name(poster_size.size, poster_size.form),
            poster_size.path,
            poster_size.form,
            {"width": poster_size.width, "height": poster_size.height},
        )
        for poster_size in sizes
    ]


def write_sheets(attempt: PictureAttempt, timeline: ReplayTimeline | None, film: Film | None) -> Sequence[PictureFile]:
    """The sheets of the storyboard."""
    if timeline is not None:
        plan = plan_storyboard(timeline.duration_ms, (WIDTH, HEIGHT))
        sheets = write_drawn_storyboard(timeline, attempt.folder, plan)
    elif film is not None:
        plan, stop = plan_storyboard(film.duration_ms, (film.width, film.height)), attempt.run.should_stop
        sheets = write_storyboard(film, attempt.folder, plan, attempt.context.binaries, should_stop=stop)
    else:
        return ()
    return [_sheet(number, sheet, (plan.width, plan.height)) for number, sheet in enumerate(sheets, start=1)]


def _sheet(number: int, sheet: Sheet, tile: tuple[int, int]) -> PictureFile:
    tiles = {"width": tile[0], "height": tile[1], "columns": COLUMNS, "times_ms": list(sheet.times_ms)}
    columns = {"width": sheet.width, "height": sheet.height, "tiles": tiles}
    return PictureFile(sheet_name(number), sheet.path, "jpg", columns)


def write_previews(
    attempt: PictureAttempt, timeline: ReplayTimeline | None, film: Film | None
) -> Sequence[PictureFile]:
    """The preview."""
    target, stop = attempt.folder / "preview.webp", attempt.run.should_stop
    if timeline is not None:
        size = preview_size((WIDTH, HEIGHT))
        # The last picture is the finished board.
        times = [timeline.duration_ms * (number + 1) // PICTURES for number in range(PICTURES)]
        pictures = (tile.data for tile in draw_tiles(timeline, times, *size))
        write_drawn_preview(pictures, size, target, attempt.context.binaries, should_stop=stop)
    elif film is not None:
        size = preview_size((film.width, film.height))
        write_preview(film, target, attempt.context.binaries, should_stop=stop)
    else:
        return ()
    return [PictureFile(PREVIEW, target, "webp", {"width": size[0], "height": size[1]})]


def write_activity(attempt: PictureAttempt, timeline: ReplayTimeline | None) -> Sequence[PictureFile]:
    """The map of quiet parts, in which nobody speaks or draws."""
    recording, context, spoken = attempt.recording, attempt.context, []
    length = recording.duration_ms
    if recording.has_sound:
        stop = attempt.run.should_stop
        levels = measure_levels(
            attempt.playback, attempt.folder, context.binaries, duration_ms=length, should_stop=stop
        )
        spoken = spoken_stretches(levels)
    quiet = quiet_stretches(spoken, drawn_stretches(context, recording, timeline), length)
    attempt.activity.write_bytes(activity_document(quiet, length))
    return [PictureFile(ACTIVITY, attempt.activity, "json", {"duration_ms": length})]

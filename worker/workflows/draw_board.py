"""Draw a page or a whole board and put the files on B2. No transaction is open while that happens."""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from sqlalchemy import func, select

from models.whiteboards import WhiteboardSession
from worker.canvases.drawing.pdf import write_pdf
from worker.canvases.drawing.raster import pixel_size, thumbnail_size, write_png, write_thumbnail
from worker.canvases.drawing.svg import write_svg
from worker.canvases.snapshots.backgrounds import NoBackground, fetch_background
from worker.canvases.snapshots.digest import PageState, board_digest, board_title, page_states
from worker.canvases.snapshots.names import BOARD_FORMS, PAGE_FORMS, FileFormat, SnapshotTarget, snapshot_prefix
from worker.canvases.snapshots.reading import StoredPage, load_page
from worker.canvases.snapshots.rows import SnapshotFacts, SnapshotFile, drawn_names
from worker.canvases.stored.pages import DrawnPage, Skipped, read_page
from worker.concurrency import together
from worker.jobs.job_run import JobRun
from worker.logs import get_logger
from worker.storage.objects import StoredObject
from worker.workflows.context import WorkerContext

_log = get_logger(__name__)


@dataclass(frozen=True)
class DrawContext:
    """Where and with what one job draws; `folder` and all in it are gone when the job is over."""

    run: JobRun
    tools: WorkerContext
    folder: Path


@dataclass(frozen=True)
class Pictured:
    """A page or board and its files on B2; without any, those that there were still show it."""

    place: SnapshotTarget
    taken: SnapshotFacts
    files: Sequence[SnapshotFile]
    skipped: Sequence[Skipped]


@dataclass(frozen=True)
class _Drawing:
    """A picture to be: its kind, what writes it, and its size in pixels."""

    name: str
    form: FileFormat
    write: Callable[[BinaryIO], None]
    size: tuple[int, int]


def picture_page(bench: DrawContext, page_id: int) -> Pictured | None:
    """The page's pictures, all of one moment; None when there is no such page."""
    bench.run.check()
    begun = time.monotonic()
    with bench.tools.database.transaction() as session:
        stored = load_page(session, page_id)
        if stored is None:
            return None
        place, digest = SnapshotTarget(stored.session_id, page_id), stored.state.digest
        is_drawn = drawn_names(session, place, digest) >= PAGE_FORMS.keys()
    with TemporaryDirectory(dir=bench.folder) as name:
        page = _read(stored) if is_drawn else _fetch(bench, stored, Path(name))
        files = [] if is_drawn else _store(bench, Path(name), snapshot_prefix(place, digest), _pictures(page))
    if files:
        _log.info("page_drawn", page_id=page_id, skipped=len(page.skipped), ms=_ms_since(begun))
    taken = SnapshotFacts(digest, stored.read_at, len(page.skipped), bench.run.claim.job_id)
    return Pictured(place, taken, files, page.skipped)


def picture_board(bench: DrawContext, session_id: int) -> Pictured | None:
    """The document of all pages; None when there is no such session, or none with pages."""
    bench.run.progress(80, "the document")
    begun = time.monotonic()
    place, job_id = SnapshotTarget(session_id, None), bench.run.claim.job_id
    with bench.tools.database.transaction() as session:
        board = session.get(WhiteboardSession, session_id)
        states = page_states(session, session_id)
        if board is None or not states:
            return None
        title = board_title(board.session_title, session_id)
        digest, read_at = board_digest(title, states), session.scalars(select(func.now())).one()
        if drawn_names(session, place, digest) >= BOARD_FORMS.keys():
            return Pictured(place, SnapshotFacts(digest, read_at, 0, job_id), (), ())
    read: list[PageState] = []
    skipped: list[Skipped] = []
    with TemporaryDirectory(dir=bench.folder) as name:
        path, form = Path(name) / "document", BOARD_FORMS["pdf"]
        with closing(_pages(bench, states, read, skipped)) as pages:
            write_pdf(pages, path, title)
        # Of what was drawn, which may be later than what was found above.
        digest = board_digest(title, read)
        stored = _upload(bench, path, f"{snapshot_prefix(place, digest)}{form.file}", form.mime, bench.run.should_stop)
    _log.info("board_drawn", session_id=session_id, pages=len(read), ms=_ms_since(begun))
    return Pictured(place, SnapshotFacts(digest, read_at, len(skipped), job_id), [SnapshotFile("pdf", stored)], skipped)


def _pages(
    bench: DrawContext, states: Sequence[PageState], read: list[PageState], skipped: list[Skipped]
) -> Generator[DrawnPage, None, None]:
    """The pages of a document, one in memory at a time; what they show goes into `read`."""
    for number, state in enumerate(states):
        bench.run.check()
        bench.run.progress(80 + 15 * number / len(states), "the document")
        with bench.tools.database.transaction() as session:
            stored = load_page(session, state.page_id)
        if stored is None:
            continue
        with TemporaryDirectory(dir=bench.folder) as name:
            page = _fetch(bench, stored, Path(name))
            read.append(stored.state)
            skipped.extend(page.skipped)
            yield page


def _fetch(bench: DrawContext, stored: StoredPage, folder: Path) -> DrawnPage:
    """The page with its picture behind the ink; one that cannot be had is left out and named like a stroke."""
    if not stored.background_image:
        return _read(stored)
    store, session_id = bench.tools.store, stored.session_id
    try:
        image = fetch_background(store, stored.background_image, session_id=session_id, folder=folder)
    except NoBackground as error:
        page = _read(stored)
        return replace(page, skipped=(Skipped(None, f"background_image: {error.detail}"), *page.skipped))
    return _read(stored, image)


def _read(stored: StoredPage, image: Path | None = None) -> DrawnPage:
    page = read_page(stored.document, image=image)
    return replace(page, skipped=(*stored.skipped, *page.skipped))


def _pictures(page: DrawnPage) -> Iterator[_Drawing]:
    for name, form in PAGE_FORMS.items():
        if form.scale is not None:
            yield _Drawing(name, form, partial(write_png, page, scale=form.scale), pixel_size(page, form.scale))
    yield _Drawing("thumbnail", PAGE_FORMS["thumbnail"], partial(write_thumbnail, page), thumbnail_size(page))
    yield _Drawing("svg", PAGE_FORMS["svg"], partial(write_svg, page), (page.width, page.height))


def _store(bench: DrawContext, folder: Path, prefix: str, drawings: Iterable[_Drawing]) -> list[SnapshotFile]:
    """Draw one file after the other, each on its way to B2 while the next is drawn."""
    begun = []
    with together(bench.run.should_stop) as steps:
        for drawing in drawings:
            bench.run.check()
            path, form = folder / drawing.name, drawing.form
            with path.open("wb") as out:
                drawing.write(out)
            begun.append((drawing, steps.begin(partial(_upload, bench, path, f"{prefix}{form.file}", form.mime))))
    return [SnapshotFile(drawing.name, upload.result(), *drawing.size) for drawing, upload in begun]


def _upload(bench: DrawContext, path: Path, name: str, mime: str, should_stop: Callable[[], bool]) -> StoredObject:
    return bench.tools.store.upload(path, name, content_type=mime, should_stop=should_stop)


def _ms_since(begun: float) -> int:
    return round(1000 * (time.monotonic() - begun))

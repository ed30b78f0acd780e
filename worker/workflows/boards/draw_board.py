"""Draw a page or a whole board and store the files on B2. No transaction is open meanwhile."""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from sqlalchemy import func, select

from worker.canvases.board import DrawnPage, SkippedStroke
from worker.canvases.drawing.pdf import write_pdf
from worker.canvases.drawing.raster import pixel_size, thumbnail_size, write_png, write_thumbnail
from worker.canvases.drawing.svg import write_svg
from worker.canvases.snapshots.backgrounds import NoBackground, UnreadBackground, fetch_background
from worker.canvases.snapshots.digest import PageState, board_digest, page_states, stored_title, without_background
from worker.canvases.snapshots.names import BOARD_FORMS, PAGE_FORMS, FileFormat, SnapshotTarget, snapshot_prefix
from worker.canvases.snapshots.reading import StoredPage, load_page
from worker.canvases.snapshots.rows import SnapshotFacts, SnapshotFile, drawn_names, is_document
from worker.concurrency import together
from worker.jobs.runs.job_run import JobRun
from worker.logs import get_logger
from worker.storage.objects import StoredObject
from worker.workflows.boards.page_addresses import page_addresses, with_addresses
from worker.workflows.context import WorkerContext

_log = get_logger(__name__)


@dataclass(frozen=True)
class DrawContext:
    """The run, the dependencies and the temporary folder of one job; the folder is deleted when the job ends."""

    run: JobRun
    context: WorkerContext
    folder: Path


@dataclass(frozen=True)
class DrawnSnapshot:
    """A page or board and its new files on B2; without new files, the existing ones are current."""

    target: SnapshotTarget
    facts: SnapshotFacts
    files: Sequence[SnapshotFile]
    skipped: Sequence[SkippedStroke]


@dataclass(frozen=True)
class _Picture:
    """A picture to draw: its kind, the function that writes it, and its size in pixels."""

    name: str
    form: FileFormat
    write: Callable[[BinaryIO], None]
    size: tuple[int, int]


def draw_page(job: DrawContext, page_id: int) -> DrawnSnapshot | None:
    """The page's pictures, all of one state; None when there is no such page."""
    job.run.check()
    begun = time.monotonic()
    with job.context.database.transaction() as session:
        stored = load_page(session, page_id)
        if stored is None:
            return None
        target = SnapshotTarget(stored.session_id, page_id)
        is_drawn = drawn_names(session, target, stored.state.digest) >= PAGE_FORMS.keys()
    with TemporaryDirectory(dir=job.folder) as name:
        page, digest = (stored.page, stored.state.digest) if is_drawn else _fetch(job, stored, Path(name))
        files = [] if is_drawn else _store(job, Path(name), snapshot_prefix(target, digest), _pictures(page))
    if files:
        _log.info("page_drawn", page_id=page_id, skipped=len(page.skipped), ms=_ms_since(begun))
    facts = SnapshotFacts(digest, stored.read_at, len(page.skipped), job.run.claim.job_id)
    return DrawnSnapshot(target, facts, files, page.skipped)


def draw_board(job: DrawContext, session_id: int) -> DrawnSnapshot | None:
    """The document of all pages; None when there is no such session, or none with pages."""
    job.run.progress(80, "the document")
    begun = time.monotonic()
    target, job_id = SnapshotTarget(session_id, None), job.run.claim.job_id
    with job.context.database.transaction() as session:
        title = stored_title(session, session_id)
        states = page_states(session, session_id)
        if title is None or not states:
            return None
        digest, read_at = board_digest(title, states), session.scalars(select(func.now())).one()
        addresses = page_addresses(session, session_id, job.context.settings)
        is_drawn = drawn_names(session, target, digest) >= BOARD_FORMS.keys()
        if is_drawn and is_document(session, session_id, _document_name(target, digest, addresses)):
            return DrawnSnapshot(target, SnapshotFacts(digest, read_at, 0, job_id), (), ())
    read: list[PageState] = []
    skipped: list[SkippedStroke] = []
    with TemporaryDirectory(dir=job.folder) as name:
        path = Path(name) / "document"
        with closing(_pages(job, states, read, skipped)) as pages:
            write_pdf(pages, path, title, addresses=addresses)
        # The digest of the states that were drawn, which may be newer than those read above.
        digest = board_digest(title, read)
        name_on_b2 = _document_name(target, digest, addresses)
        stored = _upload(job, path, name_on_b2, BOARD_FORMS["pdf"].mime, job.run.should_stop)
    _log.info("board_drawn", session_id=session_id, pages=len(read), ms=_ms_since(begun))
    facts = SnapshotFacts(digest, read_at, len(skipped), job_id)
    return DrawnSnapshot(target, facts, [SnapshotFile("pdf", stored)], skipped)


def _document_name(target: SnapshotTarget, digest: str, addresses: Mapping[int, str]) -> str:
    return f"{snapshot_prefix(target, with_addresses(digest, addresses))}{BOARD_FORMS['pdf'].file}"


def _pages(
    job: DrawContext, states: Sequence[PageState], read: list[PageState], skipped: list[SkippedStroke]
) -> Generator[DrawnPage, None, None]:
    """The pages of a document, one in memory at a time; their states are appended to `read`."""
    for number, state in enumerate(states):
        job.run.check()
        job.run.progress(80 + 15 * number / len(states), "the document")
        with job.context.database.transaction() as session:
            stored = load_page(session, state.page_id)
        if stored is None:
            continue
        with TemporaryDirectory(dir=job.folder) as name:
            page, digest = _fetch(job, stored, Path(name))
            read.append(replace(stored.state, digest=digest))
            skipped.extend(page.skipped)
            yield page


def _fetch(job: DrawContext, stored: StoredPage, folder: Path) -> tuple[DrawnPage, str]:
    """The page with its background image, and the digest of both.

    An unavailable image is left out and reported like a skipped stroke.
    """
    page, digest = stored.page, stored.state.digest
    if not stored.background_image:
        return page, digest
    store, session_id = job.context.store, stored.session_id
    try:
        image = fetch_background(store, stored.background_image, session_id=session_id, folder=folder)
    except NoBackground as error:
        left_out = SkippedStroke(None, f"background_image: {error.detail}")
        digest = without_background(digest) if isinstance(error, UnreadBackground) else digest
        return replace(page, skipped=(left_out, *page.skipped)), digest
    return replace(page, image=image), digest


def _pictures(page: DrawnPage) -> Iterator[_Picture]:
    for name, form in PAGE_FORMS.items():
        if form.scale is not None:
            yield _Picture(name, form, partial(write_png, page, scale=form.scale), pixel_size(page, form.scale))
    yield _Picture("thumbnail", PAGE_FORMS["thumbnail"], partial(write_thumbnail, page), thumbnail_size(page))
    yield _Picture("svg", PAGE_FORMS["svg"], partial(write_svg, page), (page.width, page.height))


def _store(job: DrawContext, folder: Path, prefix: str, pictures: Iterable[_Picture]) -> list[SnapshotFile]:
    """Draw one file after the other; each is uploaded while the next is drawn."""
    begun = []
    with together(job.run.should_stop) as steps:
        for picture in pictures:
            job.run.check()
            path, form = folder / picture.name, picture.form
            with path.open("wb") as out:
                picture.write(out)
            begun.append((picture, steps.begin(partial(_upload, job, path, f"{prefix}{form.file}", form.mime))))
    return [SnapshotFile(picture.name, upload.result(), *picture.size) for picture, upload in begun]


def _upload(job: DrawContext, path: Path, name: str, mime: str, should_stop: Callable[[], bool]) -> StoredObject:
    return job.context.store.upload(path, name, content_type=mime, should_stop=should_stop)


def _ms_since(begun: float) -> int:
    return round(1000 * (time.monotonic() - begun))

"""Download the background images of a board before it is filmed."""

from dataclasses import replace
from pathlib import Path

from worker.canvases.board import DrawnBoard, DrawnPage, SkippedStroke
from worker.canvases.replay.history import History
from worker.canvases.snapshots.backgrounds import NoBackground, fetch_background
from worker.workflows.context import WorkerContext


def board_with_images(context: WorkerContext, session_id: int, history: History, folder: Path) -> DrawnBoard:
    """The board of the history with its pages' images, which are downloaded to `folder`."""
    pages = list(history.board.pages)
    for place, value in history.images.items():
        own = folder / f"page_{place}"
        own.mkdir()
        pages[place] = _with_image(context, session_id, pages[place], value, own)
    return replace(history.board, pages=tuple(pages))


def _with_image(context: WorkerContext, session_id: int, page: DrawnPage, value: str, folder: Path) -> DrawnPage:
    """The page with its background image; an unavailable image is left out and reported like a skipped stroke."""
    try:
        return replace(page, image=fetch_background(context.store, value, session_id=session_id, folder=folder))
    except NoBackground as error:
        return replace(page, skipped=(SkippedStroke(None, f"background_image: {error.detail}"), *page.skipped))

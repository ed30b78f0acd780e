"""The demo's board: what was drawn in the lesson becomes pictures and a document when the lesson ends."""

import io
import math
import time
from typing import Any

import httpx2 as httpx
from pypdf import PdfReader
from rich.console import Console
from rich.table import Column, Table

from worker.canvases.engine import EngineMissing, load_engine
from worker.cli.demo.client import DemoFailed, get, post

_TIMEOUT = 60.0
BOARD_TITLE = "ሒሳብ: y = x²"
_FORMS = {"png", "png_2x", "thumbnail", "svg", "pdf"}


def sample_strokes() -> list[dict[str, Any]]:
    """A curve between two axes, and a title in two scripts, as `POST …/strokes` takes them."""
    curve = [[600 + 10 * x, 620 - x * x] for x in range(-22, 23)]
    pen, axis = {"color": "#1d4ed8", "width": 4}, {"color": "#334155", "width": 2}
    strokes = {
        "across": ("arrow", {"points": [[300, 620], [900, 620]], **axis}),
        "up": ("arrow", {"points": [[600, 680], [600, 80]], **axis}),
        "curve": ("pen", {"points": curve, **pen}),
        "round": ("circle", {"points": [[590 + 30 * math.cos(t), 620 + 30 * math.sin(t)] for t in range(7)], **pen}),
        "title": ("text", {"text": BOARD_TITLE, "x": 60, "y": 100, "fontSize": 36, "color": "#0f172a"}),
    }
    return [
        {"client_id": name, "stroke_type": stroke_type, "stroke_data": data}
        for name, (stroke_type, data) in strokes.items()
    ]


def draw_on_board(tutor: httpx.Client, session_id: int) -> None:
    """Add the sample's strokes to the board's first page; repeating it adds nothing."""
    page_id = get(tutor, f"/v1/whiteboard/sessions/{session_id}/pages")["items"][0]["id"]
    post(tutor, f"/v1/whiteboard/pages/{page_id}/strokes", {"strokes": sample_strokes()})


def show_board(console: Console, tutor: httpx.Client, session_id: int) -> None:
    """End the lesson and show the files made of its board. Raises DemoFailed when files are missing or wrong."""
    post(tutor, f"/v1/whiteboard/sessions/{session_id}/end", {})
    try:
        load_engine()
    except EngineMissing as missing:
        console.print(f"Nothing is drawn: {missing.detail}", markup=False)
        return
    console.print("The lesson is over, and its board is drawn …")
    files = _wait_for_files(tutor, session_id)
    table = Table(Column("what", no_wrap=True), Column("found", overflow="fold"), title="The board", show_lines=True)
    for file in files:
        size = f", {file['width']} x {file['height']}" if file["width"] else ""
        # Without the signature, which is longer than the address.
        address = file["url"].partition("?")[0]
        table.add_row(file["name"], f"{file['mime']}, {file['bytes']:,} bytes{size}\n{address}")
    table.add_row("words in the document", _words(files[-1]["url"]))
    console.print(table)


def _wait_for_files(tutor: httpx.Client, session_id: int) -> list[dict[str, Any]]:
    end = time.monotonic() + _TIMEOUT
    while time.monotonic() < end:
        files: list[dict[str, Any]] = get(tutor, f"/v1/whiteboard/sessions/{session_id}/snapshots")["items"]
        if {file["name"] for file in files} == _FORMS:
            return files
        time.sleep(0.25)
    raise DemoFailed(f"The board was not drawn within a minute; there is {[file['name'] for file in files]}.")


def _words(url: str) -> str:
    response = httpx.get(url)
    if response.status_code != httpx.codes.OK:
        raise DemoFailed(f"The document's address answered {response.status_code}.")
    words = PdfReader(io.BytesIO(response.content)).pages[0].extract_text().strip()
    if BOARD_TITLE not in words:
        raise DemoFailed(f"The document says {words!r}.")
    return words

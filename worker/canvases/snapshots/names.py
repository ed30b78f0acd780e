"""How pictures of boards are named in B2: by what they show, so that a name never changes its bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from posixpath import commonpath, dirname

FOLDER = "snapshots/whiteboard/"


@dataclass(frozen=True)
class FileFormat:
    """One kind of file: what it is called within its folder, its media type, and a picture's pixels per CSS pixel."""

    file: str
    mime: str
    scale: float | None = None


# By the names of models/states.py.
PAGE_FORMS = {
    "png": FileFormat("page.png", "image/png", scale=1.0),
    "png_2x": FileFormat("page@2x.png", "image/png", scale=2.0),
    "thumbnail": FileFormat("thumbnail.webp", "image/webp"),
    "svg": FileFormat("page.svg", "image/svg+xml"),
}
BOARD_FORMS = {"pdf": FileFormat("board.pdf", "application/pdf")}


@dataclass(frozen=True)
class SnapshotTarget:
    """Whose object it is; without a page it is the whole board's."""

    session_id: int
    page_id: int | None

    @property
    def prefix(self) -> str:
        """Everything of this page, or of the board's documents, is below this; it ends in `/`."""
        part = "board" if self.page_id is None else f"page_{self.page_id}"
        return f"{session_prefix(self.session_id)}{part}/"


def session_prefix(session_id: int) -> str:
    """Everything of one session; it ends in `/`, so that session 1 does not cover 10."""
    return f"{FOLDER}session_{session_id}/"


def snapshot_prefix(place: SnapshotTarget, digest: str) -> str:
    """The files of one moment. `digest` is the SHA-256 of what they show, of which sixteen digits name the folder."""
    return f"{place.prefix}{digest[:16]}/"


def shared_folder(names: Sequence[str]) -> str:
    """The innermost folder that holds all of these objects, of which there is at least one; it ends in `/`."""
    return f"{commonpath([dirname(name) for name in names])}/"


def target_of(name: str) -> SnapshotTarget | None:
    """Whose object this is by its name; None for a name that is not of our making."""
    parts = name.removeprefix(FOLDER).split("/") if name.startswith(FOLDER) else []
    if len(parts) != 4:
        return None
    session_id = _number(parts[0], "session_")
    page_id = _number(parts[1], "page_")
    if session_id is None or (page_id is None and parts[1] != "board"):
        return None
    return SnapshotTarget(session_id, page_id)


def _number(part: str, word: str) -> int | None:
    digits = part.removeprefix(word) if part.startswith(word) else ""
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None

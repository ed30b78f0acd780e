"""Object names of board snapshots in B2, derived from their content: the bytes under a name never change."""

from collections.abc import Sequence
from dataclasses import dataclass
from posixpath import commonpath, dirname

FOLDER = "snapshots/whiteboard/"


@dataclass(frozen=True)
class FileFormat:
    """A format of snapshots: file name within the folder, media type, and an image's pixels per CSS pixel."""

    file: str
    mime: str
    scale: float | None = None


# Keys are the names in models/states.py.
PAGE_FORMS = {
    "png": FileFormat("page.png", "image/png", scale=1.0),
    "png_2x": FileFormat("page@2x.png", "image/png", scale=2.0),
    "thumbnail": FileFormat("thumbnail.webp", "image/webp"),
    "svg": FileFormat("page.svg", "image/svg+xml"),
}
BOARD_FORMS = {"pdf": FileFormat("board.pdf", "application/pdf")}


@dataclass(frozen=True)
class SnapshotTarget:
    """The page that a snapshot shows; the whole board when `page_id` is None."""

    session_id: int
    page_id: int | None

    @property
    def prefix(self) -> str:
        """The prefix of all objects of this page, or of the board's documents; it ends in `/`."""
        part = "board" if self.page_id is None else f"page_{self.page_id}"
        return f"{session_prefix(self.session_id)}{part}/"


def session_prefix(session_id: int) -> str:
    """The prefix of all objects of one session; it ends in `/`, so that session 1 does not match 10."""
    return f"{FOLDER}session_{session_id}/"


def snapshot_prefix(place: SnapshotTarget, digest: str) -> str:
    """The prefix of the files with this content. `digest` is its SHA-256; its first sixteen digits name the folder."""
    return f"{place.prefix}{digest[:16]}/"


def shared_folder(names: Sequence[str]) -> str:
    """The innermost folder that contains all of these objects (at least one); it ends in `/`."""
    return f"{commonpath([dirname(name) for name in names])}/"


def target_of(name: str) -> SnapshotTarget | None:
    """The target of an object, parsed from its name; None for a name that this module does not generate."""
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

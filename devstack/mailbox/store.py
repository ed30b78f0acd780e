"""The folder of messages: one file for each; the oldest are deleted when there are too many."""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

# More than a day of development sends; a mailbox that nobody empties must not fill the disk.
MAX_MESSAGES = 1_000


@dataclass(frozen=True)
class StoredMessage:
    """A message in the folder."""

    id: int
    path: Path
    received_at: datetime

    def content(self) -> bytes | None:
        """Its bytes; None when it was deleted meanwhile."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None


class MessageStore:
    """Messages in `folder`, numbered from 1 in the order of arrival; a repeated Message-ID is stored again.

    At most `limit` of them are kept. Safe to use from several threads.
    """

    def __init__(self, folder: Path, *, limit: int = MAX_MESSAGES) -> None:
        self._folder = folder
        self._limit = limit
        self._lock = threading.Lock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Incomplete files of a killed process.
        for draft in folder.glob("*.new"):
            draft.unlink()
        self._ids = sorted(int(path.stem) for path in folder.glob("*.eml") if path.stem.isdecimal())
        self._last = max(self._ids, default=0)

    def add(self, content: bytes) -> int:
        """Store a message; returns its id."""
        with self._lock:
            self._last += 1
            draft = self._path(self._last).with_suffix(".new")
            draft.write_bytes(content)
            draft.replace(self._path(self._last))
            self._ids.append(self._last)
            while len(self._ids) > self._limit:
                self._path(self._ids.pop(0)).unlink(missing_ok=True)
            return self._last

    def find(self, id_: int) -> StoredMessage | None:
        """The message with this id; None when there is none."""
        path = self._path(id_)
        try:
            return StoredMessage(id_, path, datetime.fromtimestamp(path.stat().st_mtime, UTC))
        except FileNotFoundError:
            return None

    def all(self) -> list[StoredMessage]:
        """Every message, the newest first."""
        with self._lock:
            ids = self._ids[::-1]
        return [stored for id_ in ids if (stored := self.find(id_))]

    def clear(self) -> None:
        """Delete all messages; their ids are not reused."""
        with self._lock:
            for id_ in self._ids:
                self._path(id_).unlink(missing_ok=True)
            self._ids.clear()

    def _path(self, id_: int) -> Path:
        return self._folder / f"{id_:08}.eml"

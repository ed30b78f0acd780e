"""The folder of messages: one file each, the oldest give way to new ones."""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

# More than a day's trying out; a mailbox that nobody empties must not fill the disk.
MOST_LETTERS = 1_000


@dataclass(frozen=True)
class Kept:
    """A message in the folder."""

    id: int
    path: Path
    received_at: datetime

    def content(self) -> bytes | None:
        """Its bytes; None when it is gone meanwhile."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None


class Letters:
    """Messages in `folder`, numbered from 1 as they came. Every arrival is kept, a repeated Message-ID too.

    `most` of them are kept. Used by the threads of the pages and the thread that receives.
    """

    def __init__(self, folder: Path, *, most: int = MOST_LETTERS) -> None:
        self._folder = folder
        self._most = most
        self._lock = threading.Lock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What a killed process left half written.
        for draft in folder.glob("*.new"):
            draft.unlink()
        self._ids = sorted(int(path.stem) for path in folder.glob("*.eml") if path.stem.isdecimal())
        self._last = max(self._ids, default=0)

    def add(self, content: bytes) -> int:
        """Keep a message; answers its number."""
        with self._lock:
            self._last += 1
            draft = self._path(self._last).with_suffix(".new")
            draft.write_bytes(content)
            draft.replace(self._path(self._last))
            self._ids.append(self._last)
            while len(self._ids) > self._most:
                self._path(self._ids.pop(0)).unlink(missing_ok=True)
            return self._last

    def find(self, letter_id: int) -> Kept | None:
        """One message; None when there is no such."""
        path = self._path(letter_id)
        try:
            return Kept(letter_id, path, datetime.fromtimestamp(path.stat().st_mtime, UTC))
        except FileNotFoundError:
            return None

    def all(self) -> list[Kept]:
        """Every message, the newest first."""
        with self._lock:
            ids = self._ids[::-1]
        return [kept for letter_id in ids if (kept := self.find(letter_id))]

    def clear(self) -> None:
        """Throw all of them away; numbers go on."""
        with self._lock:
            for letter_id in self._ids:
                self._path(letter_id).unlink(missing_ok=True)
            self._ids.clear()

    def _path(self, letter_id: int) -> Path:
        return self._folder / f"{letter_id:08}.eml"

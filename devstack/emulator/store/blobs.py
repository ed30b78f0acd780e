"""Blobs: one file for each uploaded part. A file that the index does not name belongs to no object."""

import hashlib
import os
import secrets
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

BATCH = 1 << 18  # bytes in memory for one transfer; a client may run dozens of them


@dataclass(frozen=True)
class StoredPart:
    """A part of a file version: its number (from 1), size, SHA-1, and the blob with its bytes."""

    number: int
    size: int
    sha1: str
    blob: str
    uploaded_at: int


class NewBlob:
    """A blob being written, and hashed while it is. A `with` block that fails removes it."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.size = 0
        self._path = path
        self._digest = hashlib.sha1(usedforsecurity=False)
        path.parent.mkdir(exist_ok=True)
        self._file = path.open("xb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._file.close()
            self._path.unlink(missing_ok=True)

    def write(self, data: bytes | bytearray) -> None:
        """Append `data`."""
        self._digest.update(data)
        self._file.write(data)
        self.size += len(data)

    def finish(self) -> None:
        """Sync the file and its directory entry, so that a power failure loses neither."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @property
    def sha1(self) -> str:
        """Hex SHA-1 of what was written."""
        return self._digest.hexdigest()


class Blobs:
    """The folder of blobs, spread over 256 subfolders."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)

    def create(self) -> NewBlob:
        """An empty blob with a new name."""
        return NewBlob(self._path(secrets.token_hex(16)))

    def delete(self, names: Iterable[str]) -> None:
        """Remove blobs that the index no longer names."""
        for name in names:
            self._path(name).unlink(missing_ok=True)

    def sweep(self, named: Collection[str]) -> int:
        """Remove every blob not in `named`: those that a killed process left incomplete. Returns how many."""
        stray = [path for path in self._folder.glob("*/*") if path.name not in named]
        for path in stray:
            path.unlink()
        return len(stray)

    def read(self, parts: Iterable[StoredPart], start: int, length: int) -> Iterator[bytes]:
        """Bytes `start` to `start + length` of the concatenated parts, in batches."""
        for part in parts:
            if length <= 0:
                return
            if start >= part.size:
                start -= part.size
                continue
            with self._path(part.blob).open("rb") as file:
                file.seek(start)
                remaining = min(length, part.size - start)
                length -= remaining
                start = 0
                while remaining > 0 and (data := file.read(min(BATCH, remaining))):
                    remaining -= len(data)
                    yield data

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name

"""The spool: uploaded files on a local disk or a shared volume, named by random words, whole or not there.

Bytes are received under `NAME.part` and get their name only when every byte is on the disk, so whatever stands under
a name is complete, even after a power cut.
"""

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from uuid import UUID

from worker.errors import NotFound, OutOfSpace, TooLarge

_NAME = re.compile(r"[0-9a-f]{32}")
_PART = ".part"
# Lessons of children: no other account of the system may read them.
_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600
_WORK = "work"
# How many bytes may be received between two checks of the free space.
_LOOK_EVERY = 16_000_000


@dataclass(frozen=True)
class SpoolFile:
    """A complete file of the spool: its name, size in bytes and SHA-1 (lower-case hex)."""

    name: str
    size: int
    sha1: str


class Spool:
    """The spool in `folder`, which is created when missing. `reserve` bytes of its disk stay free."""

    def __init__(self, folder: Path, *, reserve: int = 0) -> None:
        self._folder = folder
        self._reserve = reserve
        with full_disk_named():
            _make_private(folder, parents=True)

    def path(self, name: str) -> Path:
        """The path of the complete file `name`. Raises NotFound when it no longer exists."""
        path = self._path(name)
        if not path.is_file():
            raise NotFound(f"The uploaded bytes {name} are no longer in the spool.")
        return path

    def receive(self, *, limit: int, expected: int | None = None) -> "SpoolWriter":
        """Begin to receive a file of at most `limit` bytes; the disk must have room for the `expected` ones.

        Raises OutOfSpace when the disk cannot take it.
        """
        if expected is not None:
            self.require_space(expected)
        return SpoolWriter(self, self._path(secrets.token_hex(16)), limit)

    def require_space(self, size: int) -> None:
        """Raise OutOfSpace unless `size` more bytes leave the reserve untouched."""
        free = shutil.disk_usage(self._folder).free
        if free - size < self._reserve:
            raise OutOfSpace("The server's disk is too full to take this upload now. Try again later.")

    def remove(self, name: str) -> None:
        """Remove the file, if it is there."""
        self._path(name).unlink(missing_ok=True)

    def names(self, *, older_than: float) -> Iterator[str]:
        """Names of complete files that are older than so many seconds."""
        for path in self._folder.iterdir():
            if _NAME.fullmatch(path.name) and _age(path) > older_than:
                yield path.name

    def remove_debris(self, *, older_than: float) -> int:
        """Remove half-received files untouched for so many seconds; return how many."""
        removed = 0
        for path in self._folder.glob(f"*{_PART}"):
            if _age(path) > older_than:
                path.unlink(missing_ok=True)
                removed += 1
        return removed

    @contextlib.contextmanager
    def workspace(self, job_id: UUID) -> Iterator[Path]:
        """A folder for a job's files, on the same disk; removed at the end of the block.

        What an earlier attempt left, because it was killed, is removed first.
        """
        parent = self._folder / _WORK
        _make_private(parent)
        for left in parent.glob(f"{job_id.hex}-*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=f"{job_id.hex}-", dir=parent, ignore_cleanup_errors=True) as folder:
            yield Path(folder)

    def workspaces(self) -> list[Path]:
        """The folders of jobs that are running or were killed."""
        return list((self._folder / _WORK).glob("*"))

    def remove_workspaces(self, folders: Sequence[Path], *, running: Collection[UUID]) -> int:
        """Remove those of `folders` whose job is not in `running`; return how many."""
        prefixes = {job_id.hex for job_id in running}
        left = [folder for folder in folders if folder.name.partition("-")[0] not in prefixes]
        for folder in left:
            shutil.rmtree(folder, ignore_errors=True)
        return len(left)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise NotFound("That is not the name of a spool file.")
        return self._folder / name


class SpoolWriter:
    """A file being received: `write` its bytes in order, then `seal` it. Leaving the block unsealed discards it."""

    def __init__(self, spool: Spool, target: Path, limit: int) -> None:
        self._spool = spool
        self._target = target
        self._limit = limit
        self._digest = hashlib.sha1(usedforsecurity=False)
        self._size = 0
        self._looked_at = 0
        self._part = target.with_name(target.name + _PART)
        with full_disk_named():
            self._file: BinaryIO = os.fdopen(_create_private(self._part), "wb", buffering=0)

    @property
    def size(self) -> int:
        """Bytes received so far."""
        return self._size

    def write(self, chunk: bytes) -> None:
        """Append the next bytes. Raises TooLarge past the limit, OutOfSpace when the disk is full."""
        self._size += len(chunk)
        if self._size > self._limit:
            raise TooLarge(f"The file is larger than {self._limit} bytes, the most that is taken.")
        if self._size - self._looked_at > _LOOK_EVERY:
            self._looked_at = self._size
            self._spool.require_space(0)
        self._digest.update(chunk)
        with full_disk_named():
            view = memoryview(chunk)
            while view:
                view = view[self._file.write(view) :]

    def seal(self) -> SpoolFile:
        """Rename the file to its name, with every byte flushed to the disk."""
        with full_disk_named():
            os.fsync(self._file.fileno())
            self._file.close()
            self._part.rename(self._target)
            _sync_folder(self._target.parent)
        return SpoolFile(self._target.name, self._size, self._digest.hexdigest())

    def discard(self) -> None:
        """Delete what was received."""
        self._file.close()
        self._part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()


def _make_private(folder: Path, *, parents: bool = False) -> None:
    """Create the folder for its owner alone; an existing one of ours loses the permissions of others."""
    folder.mkdir(mode=_PRIVATE_FOLDER, parents=parents, exist_ok=True)
    status = folder.stat()
    if status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) != _PRIVATE_FOLDER:
        folder.chmod(_PRIVATE_FOLDER)


def _create_private(path: Path) -> int:
    return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, _PRIVATE_FILE)


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _sync_folder(folder: Path) -> None:
    """Flush the folder: a rename is durable only then."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def full_disk_named() -> Iterator[None]:
    """Raise OutOfSpace for the system's errors of a full disk or an exhausted quota."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise OutOfSpace("The server's disk is full. Try again later.") from error
        raise

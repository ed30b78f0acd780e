"""The file of an upload that is sent in pieces: appended to by one request at a time, in any process on this spool.

Its size is the offset of the upload. `ID.lock` is locked (flock) for each append, and holds the token of the request
that may append: a request that finds another token there has been replaced. So a request whose client has gone away
blocks nobody, and two requests never interleave. Behind the token it holds how many bytes have been flushed: after a
flush that failed, the kernel reports no error for the others again, and they are not to be trusted.
"""

import errno
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from worker.errors import AstegniError, Busy, Conflict
from worker.uploads.private_files import create_private, full_disk_named, sync_folder

DATA = ".upload"
LOCK = ".lock"
# Longer than an append, or the transaction that ends an upload, takes.
_PATIENCE = 10.0
_POLL = 0.005
_TOKEN_BYTES = 16
_FLUSHED_BYTES = 8


class UploadGone(AstegniError):
    """The upload was terminated or has expired: its bytes are no longer kept."""

    code, title, status = "upload-gone", "The upload is gone", 410


class WrongOffset(Conflict):
    """The client's offset is not the number of bytes that have arrived, which is the member `offset`."""

    code, title = "wrong-offset", "Wrong offset"


class Replaced(Conflict):
    """Another request of the same upload has taken over."""

    code, title = "upload-taken-over", "Another request continues this upload"


def gone() -> UploadGone:
    """The error for an upload without bytes."""
    return UploadGone("The bytes of this upload are no longer kept. Create another one.")


def wrong_offset(offset: int) -> WrongOffset:
    """The error for a client that does not continue at `offset`."""
    return WrongOffset(f"{offset} bytes have arrived; ask with HEAD and continue there.", offset=offset)


class UploadFile:
    """The file of one upload in the folder of a spool."""

    def __init__(self, folder: Path, upload_id: str) -> None:
        self.path = folder / f"{upload_id}{DATA}"
        self._lock = folder / f"{upload_id}{LOCK}"

    def create(self) -> None:
        """Create it, empty. Raises OutOfSpace."""
        with full_disk_named():
            for path, content in ((self._lock, bytes(_TOKEN_BYTES + _FLUSHED_BYTES)), (self.path, b"")):
                with os.fdopen(create_private(path), "wb") as file:
                    file.write(content)
            sync_folder(self.path.parent)

    def size(self) -> int:
        """Bytes that have arrived. Raises UploadGone."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError as error:
            raise gone() from error

    def idle_seconds(self) -> float:
        """Seconds since the last byte arrived. Raises UploadGone."""
        try:
            return max(0.0, time.time() - self.path.stat().st_mtime)
        except FileNotFoundError as error:
            raise gone() from error

    def remove(self) -> None:
        """Remove it and its lock; idempotent."""
        self.path.unlink(missing_ok=True)
        self._lock.unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator["LockedUpload"]:
        """Lock the file within the block. Raises UploadGone, and Busy when the lock does not become free in time."""
        try:
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise gone() from error
        try:
            _wait_for_lock(descriptor)
            locked = LockedUpload(self, descriptor)
            try:
                yield locked
            finally:
                locked.close()
        finally:
            # Closing the descriptor releases the lock; so does the end of the process.
            os.close(descriptor)


class LockedUpload:
    """An upload's file while this thread has its lock. Raises UploadGone: its removal may have had the lock before."""

    def __init__(self, file: UploadFile, lock: int) -> None:
        self.file = file
        self._lock = lock
        self._data = _open(file.path)

    def close(self) -> None:
        """Close the file."""
        os.close(self._data)

    def size(self) -> int:
        """Bytes that have arrived."""
        return os.fstat(self._data).st_size

    def take_turn(self) -> str:
        """Replace the request that may append; returns the token of the new one."""
        token = secrets.token_hex(_TOKEN_BYTES // 2)
        os.pwrite(self._lock, token.encode(), 0)
        return token

    def require_turn(self, token: str) -> None:
        """Raise Replaced when another request may append now."""
        if os.pread(self._lock, _TOKEN_BYTES, 0) != token.encode():
            raise Replaced("Another request continues this upload; this one stored nothing more.")

    def append(self, data: bytes, at: int) -> None:
        """Append at offset `at`. Raises WrongOffset, and OutOfSpace when the disk is full."""
        size = self.size()
        if size != at:
            raise wrong_offset(size)
        with full_disk_named():
            view = memoryview(data)
            while view:
                written = os.pwrite(self._data, view, at)
                at, view = at + written, view[written:]

    def head(self, size: int) -> bytes:
        """Its first bytes, at most `size`."""
        return os.pread(self._data, size, 0)

    def sync(self) -> None:
        """Flush its bytes to the disk: only then may they be acknowledged.

        When that fails, those that were not flushed before are cut off, and the client sends them again.
        """
        size = self.size()
        with full_disk_named():
            try:
                os.fdatasync(self._data)
            except OSError:
                os.ftruncate(self._data, min(size, self._flushed(size)))
                raise
        os.pwrite(self._lock, size.to_bytes(_FLUSHED_BYTES, "big"), _TOKEN_BYTES)

    def _flushed(self, size: int) -> int:
        """How many first bytes have been flushed; `size` where an earlier release did not note it."""
        noted = os.pread(self._lock, _FLUSHED_BYTES, _TOKEN_BYTES)
        return int.from_bytes(noted, "big") if len(noted) == _FLUSHED_BYTES else size

    def own_inode(self) -> None:
        """Copy the bytes if a recording shares them: an append must not change what an ingest reads."""
        path = self.file.path
        if os.fstat(self._data).st_nlink == 1:
            return
        copy = path.with_name(f"{path.name}.part")
        copy.unlink(missing_ok=True)
        with full_disk_named(), path.open("rb") as source, os.fdopen(create_private(copy), "wb") as target:
            while os.copy_file_range(source.fileno(), target.fileno(), 1 << 30):
                pass
            os.fsync(target.fileno())
            times = os.fstat(source.fileno())
            if target.tell() != times.st_size:
                raise OSError(errno.EIO, "The copy of an upload is shorter than the upload.")
        os.utime(copy, ns=(times.st_atime_ns, times.st_mtime_ns))
        copy.rename(path)
        sync_folder(path.parent)
        own = _open(path)
        self.close()
        self._data = own

    def share_as(self, target: Path) -> None:
        """Give the bytes a second name; idempotent."""
        with full_disk_named():
            self.sync()
            try:
                os.link(self.file.path, target)
            except FileExistsError:
                if not target.samefile(self.file.path):
                    raise
            sync_folder(target.parent)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise gone() from error


def _wait_for_lock(descriptor: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    pause = _POLL
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Busy("Another request is storing bytes of this upload; ask again.") from None
            time.sleep(pause)
            pause = min(2 * pause, 0.1)
        else:
            return

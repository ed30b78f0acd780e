"""Operations on the file of an upload while this thread holds its lock."""

import errno
import os
import secrets
from pathlib import Path

from worker.errors import AstegniError
from worker.uploads.private_files import create_private, report_full_disk, sync_folder
from worker.uploads.upload_errors import UploadTakenOver, gone, wrong_offset

TOKEN_BYTES = 16
FLUSHED_BYTES = 8


class LockedUpload:
    """An upload's file while this thread holds its lock. Raises UploadGone if it has just been removed."""

    def __init__(self, path: Path, lock: int) -> None:
        self._path = path
        self._lock = lock
        self._data = _open(path)

    def close(self) -> None:
        """Close the file."""
        os.close(self._data)

    def size(self) -> int:
        """Bytes that have arrived."""
        return os.fstat(self._data).st_size

    def take_turn(self) -> str:
        """Replace the request that may append; returns the token of the new one."""
        token = secrets.token_hex(TOKEN_BYTES // 2)
        os.pwrite(self._lock, token.encode(), 0)
        return token

    def require_turn(self, token: str) -> None:
        """Raise UploadTakenOver when another request may append now."""
        if os.pread(self._lock, TOKEN_BYTES, 0) != token.encode():
            raise UploadTakenOver("Another request continues this upload; this one stored nothing more.")

    def append(self, data: bytes, at: int) -> None:
        """Append at offset `at`. Raises WrongOffset, and OutOfSpace when the disk is full."""
        size = self.size()
        if size != at:
            raise wrong_offset(size)
        with report_full_disk():
            view = memoryview(data)
            while view:
                written = os.pwrite(self._data, view, at)
                at, view = at + written, view[written:]

    def head(self, size: int) -> bytes:
        """Its first bytes, at most `size`."""
        return os.pread(self._data, size, 0)

    def sync(self) -> None:
        """Flush its bytes to the disk: only then may they be acknowledged.

        If that fails, the unflushed bytes are truncated, and the client sends them again.
        """
        size = self.size()
        with report_full_disk():
            try:
                os.fdatasync(self._data)
            except OSError:
                os.ftruncate(self._data, min(size, self._flushed(size)))
                raise
        os.pwrite(self._lock, size.to_bytes(FLUSHED_BYTES, "big"), TOKEN_BYTES)

    def _flushed(self, size: int) -> int:
        """How many of the first bytes have been flushed; `size` if an earlier release did not record it."""
        noted = os.pread(self._lock, FLUSHED_BYTES, TOKEN_BYTES)
        return int.from_bytes(noted, "big") if len(noted) == FLUSHED_BYTES else size

    @property
    def is_shared(self) -> bool:
        """Whether a recording shares its bytes."""
        return os.fstat(self._data).st_nlink > 1

    def own_inode(self) -> None:
        """Replace bytes that a recording shares by a copy: an append must not change what an ingest reads."""
        path = self._path
        copy = path.with_name(f"{path.name}.part")
        copy.unlink(missing_ok=True)
        try:
            self._copy_to(copy)
        except (OSError, AstegniError):
            copy.unlink(missing_ok=True)
            raise
        times = os.fstat(self._data)
        copy.rename(path)
        # After the renaming: the sweep would take an old `.part` for debris.
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        sync_folder(path.parent)
        own = _open(path)
        self.close()
        self._data = own

    def _copy_to(self, copy: Path) -> None:
        with report_full_disk(), self._path.open("rb") as source, os.fdopen(create_private(copy), "wb") as target:
            while os.copy_file_range(source.fileno(), target.fileno(), 1 << 30):
                pass
            os.fsync(target.fileno())
            if target.tell() != self.size():
                raise OSError(errno.EIO, "The copy of an upload is shorter than the upload.")

    def share_as(self, target: Path) -> None:
        """Link the bytes to a second name; idempotent."""
        with report_full_disk():
            self.sync()
            try:
                os.link(self._path, target)
            except FileExistsError:
                if not target.samefile(self._path):
                    raise
            sync_folder(target.parent)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise gone() from error

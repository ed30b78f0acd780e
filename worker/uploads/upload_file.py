"""The file of a resumable upload: appended to by one request at a time, in any process on this spool.

Its size is the offset of the upload. `ID.lock` is locked (flock) for each append, and holds the token of the request
that may append: a request that finds another token there has been replaced. So a request whose client has gone away
blocks nobody, and two requests never interleave. After the token it holds how many bytes have been flushed: after a
failed flush the kernel does not report the error again for the other bytes, so they must not be trusted.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from worker.errors import Busy
from worker.uploads.locked_upload import FLUSHED_BYTES, TOKEN_BYTES, LockedUpload
from worker.uploads.private_files import create_private, report_full_disk, sync_folder
from worker.uploads.upload_errors import gone

DATA = ".upload"
LOCK = ".lock"
# Longer than an append, or the transaction that ends an upload, takes.
_TIMEOUT = 10.0
_POLL = 0.005


class UploadFile:
    """The file of one upload in the folder of a spool."""

    def __init__(self, folder: Path, upload_id: str) -> None:
        self.path = folder / f"{upload_id}{DATA}"
        self._lock = folder / f"{upload_id}{LOCK}"

    def create(self) -> None:
        """Create it, empty. Raises OutOfSpace."""
        with report_full_disk():
            for path, content in ((self._lock, bytes(TOKEN_BYTES + FLUSHED_BYTES)), (self.path, b"")):
                with os.fdopen(create_private(path), "wb") as file:
                    file.write(content)
            sync_folder(self.path.parent)

    def size(self) -> int:
        """How many bytes have arrived. Raises UploadGone."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError as error:
            raise gone() from error

    def idle_seconds(self) -> float:
        """Seconds since the last byte arrived. Raises UploadGone.

        A time in the future says that the clock was set back since then, and that nothing has arrived since; the upload
        must not wait until the clock is there again.
        """
        try:
            return abs(time.time() - self.path.stat().st_mtime)
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
            locked = LockedUpload(self.path, descriptor)
            try:
                yield locked
            finally:
                locked.close()
        finally:
            # Closing the descriptor releases the lock; so does the end of the process.
            os.close(descriptor)


def _wait_for_lock(descriptor: int) -> None:
    deadline = time.monotonic() + _TIMEOUT
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

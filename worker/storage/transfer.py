"""The upload of one local file: with progress, stoppable, and checked not to have changed."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from b2sdk.v3 import AbstractProgressListener, Bucket, UploadSourceLocalFile, WriteIntent

from worker.storage.errors import FileChanged, UploadStopped

# Objects are named by their content, so a cached one never needs revalidation; only a private cache may store it.
CACHE_CONTROL = "private, max-age=31536000, immutable"
# Backblaze's minimum of 5 MB does not apply to the last part; with it b2sdk would append a short one to the part
# before, and an interruption of that would cost up to half as much again.
_MIN_PART_SIZE = 1

Progress = Callable[[int], None]
ShouldStop = Callable[[], bool]


class _Stop(BaseException):
    """Ends b2sdk's upload threads. Not an Exception: b2sdk would log it as unexpected and wrap it."""


class LocalFile:
    """A file to send: its path, size and hex SHA-1. Raises FileChanged when its bytes are not those of `sha1`."""

    def __init__(self, path: Path, sha1: str | None) -> None:
        self.path = path
        # Backblaze checks each part but never a whole large file: `sha1` must be verified here.
        with path.open("rb") as file:
            self._identity = _identity(os.fstat(file.fileno()))
            self.sha1 = hashlib.file_digest(file, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()
        if sha1 not in (self.sha1, None):
            raise FileChanged(f"{path.name} has the SHA-1 {self.sha1}, not {sha1}.")

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self._identity[0]

    def check_unchanged(self) -> None:
        """Raise FileChanged when the file was written to since its SHA-1 was computed."""
        try:
            identity = _identity(self.path.stat())
        except FileNotFoundError:
            identity = None
        if identity != self._identity:
            raise FileChanged(f"{self.path.name} was written to or removed while it was uploaded.")


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino


def send(
    bucket: Bucket,
    file: LocalFile,
    name: str,
    *,
    content_type: str,
    content_encoding: str | None,
    content_disposition: str | None,
    part_size: int,
    on_progress: Progress,
    should_stop: ShouldStop,
) -> Any:
    """Upload `file` once and return b2sdk's FileVersion; parts of an unfinished earlier upload are not sent again.

    b2sdk finds them by name and file info, so these must not contain anything that changes between attempts.
    """
    watch = _Watch(on_progress, should_stop)
    source = _Source(file.path, watch, file.sha1)
    try:
        return bucket.create_file(
            [WriteIntent(source)],
            name,
            content_type=content_type,
            content_encoding=content_encoding,
            content_disposition=content_disposition,
            progress_listener=watch,
            recommended_upload_part_size=part_size,
            min_part_size=_MIN_PART_SIZE,
            large_file_sha1=file.sha1,
            cache_control=CACHE_CONTROL,
        )
    except _Stop:
        raise UploadStopped(f"The upload of {name} was stopped.") from None
    finally:
        # When one part fails permanently, b2sdk lets the others in its queue continue.
        watch.is_over = True


class _Watch(AbstractProgressListener):  # type: ignore[misc]  # b2sdk publishes no types
    """Reports progress, and ends the upload from inside its threads once it should stop or has ended."""

    def __init__(self, on_progress: Progress, should_stop: ShouldStop) -> None:
        super().__init__()
        self.is_over = False
        self._on_progress = on_progress
        self._should_stop = should_stop

    def set_total_bytes(self, total_byte_count: int) -> None:
        """Ignored: the caller knows the size already."""

    def bytes_completed(self, byte_count: int) -> None:
        self.check()
        self._on_progress(byte_count)

    def check(self) -> None:
        if self.is_over or self._should_stop():
            raise _Stop


class _Source(UploadSourceLocalFile):  # type: ignore[misc]  # b2sdk publishes no types
    """The file, opened once for each part, which is where a stop takes effect before the next part."""

    def __init__(self, path: Path, watch: _Watch, sha1: str) -> None:
        super().__init__(path, content_sha1=sha1)
        self._watch = watch

    def open(self) -> BinaryIO:
        self._watch.check()
        return super().open()  # type: ignore[no-any-return]  # b2sdk publishes no types

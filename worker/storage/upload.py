"""A complete upload: idempotent, retried after short failures, and verified on arrival."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from worker.logs import get_logger
from worker.metrics.recorder import record_storage_bytes
from worker.storage.account import Account
from worker.storage.errors import (
    ChecksumMismatch,
    FileChanged,
    StorageFull,
    StorageRefused,
    StorageUnavailable,
    UploadStopped,
    translate_errors,
)
from worker.storage.objects import StoredObject, delete_version, describe, find_object
from worker.storage.transfer import LocalFile, Progress, ShouldStop, send

# b2sdk retries a failed part five times without a pause, so a burst of 503 exhausts its retries within a second.
_PAUSES = (1.0, 4.0, 16.0)
_STOP_CHECK = 1.0

log = get_logger(__name__)


@dataclass(frozen=True)
class Upload:
    """The upload of one file as `name`; `sleep` waits, the rest is as in `ObjectStore.upload`."""

    account: Account
    name: str
    content_type: str
    part_size: int
    on_progress: Progress
    should_stop: ShouldStop
    sleep: Callable[[float], None] = time.sleep
    content_encoding: str | None = None
    content_disposition: str | None = None

    def run(self, file: LocalFile) -> StoredObject:
        """Try four times with growing pauses; parts sent before a failure are not sent again."""
        for pause in _PAUSES:
            try:
                return self._attempt(file)
            except (StorageUnavailable, ChecksumMismatch) as error:
                log.warning("upload_interrupted", object=self.name, detail=error.detail, pause=pause)
                self._rest(pause)
        return self._attempt(file)

    def _attempt(self, file: LocalFile) -> StoredObject:
        self._check_stop()
        present = self._find(file)
        if present is not None:
            return present
        try:
            with translate_errors(f"upload of {self.name}"):
                version = self._send(file)
        except StorageRefused:
            # Another worker with the same job may have finished the upload that this one was continuing.
            present = self._find(file)
            if present is None:
                raise
            return present
        record_storage_bytes("up", file.size)
        return self._verified(version, file)

    def _send(self, file: LocalFile) -> Any:
        return send(
            self.account.bucket(),
            file,
            self.name,
            content_type=self.content_type,
            content_encoding=self.content_encoding,
            content_disposition=self.content_disposition,
            part_size=self.part_size,
            on_progress=self.on_progress,
            should_stop=self.should_stop,
        )

    def _find(self, file: LocalFile) -> StoredObject | None:
        try:
            with translate_errors(f"upload of {self.name}"):
                stored = find_object(self.account.bucket(), self.name)
        except StorageFull:
            # The cap on reads and downloads is reached. Uploads only have one on stored bytes, and report it
            # themselves.
            log.warning("upload_not_looked_for", object=self.name)
            return None
        return stored if stored and (stored.sha1, stored.size) == (file.sha1, file.size) else None

    def _verified(self, version: Any, file: LocalFile) -> StoredObject:
        """The stored object as Backblaze describes it, if it matches the file; a wrong version is deleted at once."""
        stored = describe(version)
        try:
            file.check_unchanged()
            if (stored.sha1, stored.size) != (file.sha1, file.size):
                raise ChecksumMismatch(f"{self.name} arrived with {stored.size} bytes and SHA-1 {stored.sha1}.")
        except (ChecksumMismatch, FileChanged):
            with translate_errors(f"removal of a wrong {self.name}"):
                delete_version(self.account.bucket(), version)
            raise
        return stored

    def _rest(self, pause: float) -> None:
        while pause > 0:
            self._check_stop()
            self.sleep(min(pause, _STOP_CHECK))
            pause -= _STOP_CHECK

    def _check_stop(self) -> None:
        if self.should_stop():
            raise UploadStopped(f"The upload of {self.name} was stopped.")

"""The objects in Backblaze B2: upload, find, download, list, delete, and authorise downloads for a limited time."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from urllib.parse import quote, urlsplit

import requests

from worker.errors import InvalidInput, InvalidSetting
from worker.metrics.recorder import record_storage_bytes
from worker.settings import Settings
from worker.storage.account import Account
from worker.storage.bucket import prepare_bucket
from worker.storage.errors import ChecksumMismatch, translate_errors
from worker.storage.listing import file_names, file_versions, unfinished_uploads
from worker.storage.object_names import check_folder, check_list_prefix, check_name, is_valid_name
from worker.storage.objects import StoredObject, cancel_upload, delete_version, describe, find_object, instant
from worker.storage.transfer import LocalFile, Progress, ShouldStop
from worker.storage.upload import Upload
from worker.tracing.spans import span

_WEEK = 604_800


class ObjectStore:
    """One private bucket. Create it after a fork, once per process; its methods may be called from any thread.

    `key_id` and `application_key` need the capabilities listBuckets, listFiles, readFiles, writeFiles, deleteFiles and
    shareFiles, and for continuing an interrupted upload also readFileRetentions and readFileLegalHolds: without these
    two b2sdk cannot tell that an unfinished upload matches the new one. `realm` is `production` or the URL of an
    emulator; parts of `part_size` bytes are sent two at a time. Nothing is sent before the first call. Each call may
    raise StorageUnavailable (retry) or StorageRefused (do not), and InvalidObjectName, before anything is sent, for a
    name or prefix that could be turned into another on the way to Backblaze.
    """

    def __init__(
        self,
        *,
        key_id: str,
        application_key: str,
        bucket: str,
        realm: str = "production",
        part_size: int = 5_000_000,
        http_session: Callable[[], requests.Session] = requests.Session,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._account = Account(key_id, application_key, bucket, realm, http_session, sleep)
        self._part_size = part_size
        self._sleep = sleep

    @classmethod
    def from_settings(
        cls, settings: Settings, *, http_session: Callable[[], requests.Session] = requests.Session
    ) -> "ObjectStore":
        """The store of BACKBLAZE_*; raises InvalidSetting, naming the missing setting."""
        if settings.backblaze_key_id is None:
            raise InvalidSetting("BACKBLAZE_KEY_ID is not set. Set it, or run `astegni up` for an emulator.")
        if settings.backblaze_application_key is None:
            raise InvalidSetting("BACKBLAZE_APPLICATION_KEY is not set. Set it, or run `astegni up` for an emulator.")
        return cls(
            key_id=settings.backblaze_key_id,
            application_key=settings.backblaze_application_key.get_secret_value(),
            bucket=settings.backblaze_bucket_name,
            realm=settings.backblaze_realm,
            http_session=http_session,
        )

    def upload(
        self,
        path: Path,
        name: str,
        *,
        content_type: str,
        content_encoding: str | None = None,
        content_disposition: str | None = None,
        sha1: str | None = None,
        on_progress: Progress | None = None,
        should_stop: ShouldStop | None = None,
    ) -> StoredObject:
        """Upload the file at `path` as `name`, unless that name with that SHA-1 exists already.

        `on_progress` gets the bytes sent so far (from several threads, and a lower number after a failure);
        `should_stop` is called often and ends the upload with UploadStopped. Without `sha1` (hex) the file is uploaded
        as it is now. `content_encoding` (`gzip`) is sent to whoever fetches the object: a browser decompresses it by
        itself. So is `content_disposition`: with `attachment; filename=…` a browser saves the object. Raises
        FileChanged when the file does not match `sha1` or changes meanwhile, ChecksumMismatch when the stored bytes do
        not, and StorageFull.
        """
        upload = Upload(
            self._account,
            check_name(name),
            content_type,
            self._part_size,
            on_progress or _ignore_progress,
            should_stop or _never,
            self._sleep,
            content_encoding,
            content_disposition,
        )
        with span("b2", operation="upload"):
            return upload.run(LocalFile(path, sha1))

    def stat(self, name: str) -> StoredObject | None:
        """The object of this name, None when there is none."""
        check_name(name)
        with span("b2", operation="stat"), translate_errors(f"look at {name}"):
            return find_object(self._account.bucket(), name)

    def download(self, name: str, path: Path, *, sha1: str | None = None) -> None:
        """Download an object to `path`, which exists only once it is complete.

        It is checked against `sha1`, or else against the SHA-1 stored with the object. Raises ObjectMissing, and
        ChecksumMismatch when other bytes arrived.
        """
        check_name(name)
        part = path.with_name(path.name + ".part")
        try:
            with span("b2", operation="download"), translate_errors(f"download of {name}"):
                download = self._account.bucket().download_file_by_name(name)
                download.save_to(part)
            record_storage_bytes("down", part.stat().st_size)
            expected = sha1 or describe(download.download_version).sha1
            _keep(part, path, name, expected)
        finally:
            part.unlink(missing_ok=True)

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """Every object whose name starts with `prefix`, in the order of their names.

        Objects whose names the other methods reject are left out: others may have put them into the bucket.
        """
        check_list_prefix(prefix)
        with translate_errors(f"list of {prefix}"):
            versions = file_names(self._account.bucket(), prefix)
            yield from (describe(version) for version in versions if is_valid_name(version.file_name))

    def delete(self, name: str) -> int:
        """Delete all versions of a name, and its unfinished uploads; returns how many."""
        check_name(name)
        with span("b2", operation="delete"), translate_errors(f"delete of {name}"):
            bucket = self._account.bucket()
            # Of all names that start with this one, it comes first.
            versions = takewhile(lambda version: version.file_name == name, file_versions(bucket, name))
            return sum(delete_version(bucket, version) for version in versions)

    def cancel_unfinished(self, prefix: str, *, older_than: datetime) -> int:
        """Cancel uploads of names with `prefix` that were started before `older_than`; returns how many."""
        check_list_prefix(prefix)
        with translate_errors(f"cancel of unfinished uploads at {prefix}"):
            bucket = self._account.bucket()
            old = [
                upload["fileId"]
                for upload in unfinished_uploads(bucket, prefix)
                if instant(upload["uploadTimestamp"]) < older_than
            ]
            return sum(cancel_upload(bucket, file_id) for file_id in old)

    def url(self, name: str) -> str:
        """The address of an object, percent-encoded; it can be opened only with a token."""
        check_name(name)
        with translate_errors(f"address of {name}"):
            return str(self._account.bucket().get_download_url(name))

    def download_origin(self) -> str:
        """Scheme, host and port of every object's address."""
        with translate_errors("address of the bucket"):
            parts = urlsplit(self._account.api().account_info.get_download_url())
            return f"{parts.scheme}://{parts.netloc}"

    def authorize_download(self, prefix: str, seconds: int) -> str:
        """A token that opens every object under `prefix` (which must end with `/`) for 1 to 604 800 seconds."""
        check_folder(prefix)
        if not 1 <= seconds <= _WEEK:
            raise InvalidInput(f"A download token holds for 1 to {_WEEK} seconds, not {seconds}.")
        with span("b2", operation="authorize"), translate_errors(f"download token for {prefix}"):
            return str(self._account.bucket().get_download_authorization(prefix, seconds))

    def signed_url(self, name: str, token: str) -> str:
        """The address of an object, including a token: a browser's media element cannot send headers."""
        return f"{self.url(name)}?Authorization={quote(token, safe='')}"

    def prepare_bucket(self) -> None:
        """Create the bucket if it is missing and the key may, and give it the lifecycle rule if it has none."""
        with translate_errors(f"preparation of bucket {self._account.bucket_name}"):
            prepare_bucket(self._account)


def _keep(part: Path, path: Path, name: str, expected_sha1: str | None) -> None:
    """Rename a complete download to its name, durably."""
    with part.open("r+b") as file:
        actual = hashlib.file_digest(file, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()
        if expected_sha1 is not None and actual != expected_sha1:
            raise ChecksumMismatch(f"{name} arrived with the SHA-1 {actual}, not {expected_sha1}.")
        os.fsync(file.fileno())
    part.replace(path)


def _ignore_progress(_sent: int) -> None:
    return None


def _never() -> bool:
    return False

"""The spool: uploaded files on a local disk or a shared volume, with random names, complete or absent.

Bytes are received under `NAME.part` and get their name only when every byte is on the disk, so a file with its final
name is complete, even after a power cut.
"""

import contextlib
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from uuid import UUID

from worker.errors import NotFound, OutOfSpace
from worker.uploads.private_files import make_private, report_full_disk
from worker.uploads.spool_writer import PART, SpoolWriter
from worker.uploads.upload_file import DATA, LOCK, UploadFile

_NAME = re.compile(r"[0-9a-f]{32}")
_WORK = "work"


class Spool:
    """The spool in `folder`, which is created when missing. `reserve` bytes of its disk stay free."""

    def __init__(self, folder: Path, *, reserve: int = 0) -> None:
        self._folder = folder
        self._reserve = reserve
        with report_full_disk():
            make_private(folder, parents=True)

    def path(self, name: str) -> Path:
        """The path of the complete file `name`. Raises NotFound when it no longer exists."""
        path = self._path(name)
        if not path.is_file():
            raise NotFound(f"The uploaded bytes {name} are no longer in the spool.")
        return path

    def has(self, name: str) -> bool:
        """Whether the complete file `name` exists."""
        return self._path(name).is_file()

    def receive(self, *, limit: int, expected: int | None = None) -> SpoolWriter:
        """Begin to receive a file of at most `limit` bytes; the disk must have room for the `expected` ones.

        Raises OutOfSpace when it does not.
        """
        if expected is not None:
            self.require_space(expected)
        return SpoolWriter(self._path(secrets.token_hex(16)), limit, self.require_space)

    def upload(self, upload_id: str) -> UploadFile:
        """The file of a resumable upload, whether it exists or not."""
        _require_name(upload_id)
        return UploadFile(self._folder, upload_id)

    def target(self, name: str) -> Path:
        """The path under which bytes may be put into the spool as the complete file `name`."""
        return self._path(name)

    def require_space(self, size: int) -> None:
        """Raise OutOfSpace unless `size` more bytes leave the reserve untouched."""
        free = shutil.disk_usage(self._folder).free
        if free - size < self._reserve:
            raise OutOfSpace("The server's disk is too full to take this upload now. Try again later.")

    def remove(self, name: str) -> None:
        """Remove the file, if it is there."""
        self._path(name).unlink(missing_ok=True)

    def names(self, *, older_than: float) -> Iterator[str]:
        """Names of complete files that are older than `older_than` seconds.

        Files that share their bytes with an upload are left out: they are as old as its last byte, while the
        transaction that registers their recording may not have committed yet.
        """
        for path in self._folder.iterdir():
            if _NAME.fullmatch(path.name) and _age(path) > older_than and not _is_shared(path):
                yield path.name

    def upload_ids(self, *, older_than: float) -> Iterator[str]:
        """The uploads with a file here to which nothing was added for `older_than` seconds."""
        for path in self._folder.glob(f"*{DATA}"):
            if _age(path) > older_than:
                yield path.name.removesuffix(DATA)

    def remove_debris(self, *, older_than: float) -> int:
        """Remove half-received files, and locks without an upload, older than `older_than` seconds; return how many."""
        removed = 0
        for path in (*self._folder.glob(f"*{PART}"), *self._folder.glob(f"*{LOCK}")):
            if _age(path) > older_than and not (path.suffix == LOCK and path.with_suffix(DATA).exists()):
                path.unlink(missing_ok=True)
                removed += 1
        return removed

    @contextlib.contextmanager
    def workspace(self, job_id: UUID) -> Iterator[Path]:
        """A folder for a job's files, on the same disk; removed at the end of the block.

        Files left by an earlier attempt that was killed are removed first.
        """
        parent = self._folder / _WORK
        make_private(parent)
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
        _require_name(name)
        return self._folder / name


def _require_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise NotFound("That is not the name of a spool file.")


def _is_shared(path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_nlink > 1
    return False


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0

"""Files and folders of the spool that no other account of the system may read, and the error of a full disk."""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from worker.errors import OutOfSpace

# Lessons of children: no other account of the system may read them.
_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600


def make_private(folder: Path, *, parents: bool = False) -> None:
    """Create the folder so that only its owner has access; an existing one of ours loses the permissions of others."""
    folder.mkdir(mode=_PRIVATE_FOLDER, parents=parents, exist_ok=True)
    status = folder.stat()
    if status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) != _PRIVATE_FOLDER:
        folder.chmod(_PRIVATE_FOLDER)


def create_private(path: Path) -> int:
    """Create the file so that only its owner has access; returns its descriptor. Raises FileExistsError."""
    return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, _PRIVATE_FILE)


def sync_folder(folder: Path) -> None:
    """Flush the folder: a rename is durable only then."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def report_full_disk() -> Iterator[None]:
    """Raise OutOfSpace for the system's errors of a full disk or an exhausted quota."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise OutOfSpace("The server's disk is full. Try again later.") from error
        raise

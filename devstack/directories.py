"""Data directories: one that is kept and locked, or one for a single run, which a later run removes if need be."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.errors import AlreadyInUse

_PREFIX = "devstack-scratch-"
# Creating and locking a directory are two steps; in between nobody may mistake it for abandoned.
_SETTLED = 60.0


@contextmanager
def data_directory(path: Path | None) -> Iterator[Path]:
    """`path`, created if missing and locked during the block; if None, a scratch directory.

    Raises AlreadyInUse when another stack has locked `path`: two brokers would write to one file.
    """
    if path is None:
        with scratch_directory() as scratch:
            yield scratch
        return
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield path.absolute()
    except BlockingIOError:
        raise AlreadyInUse(f"{path} is in use by another stack. Stop it, or choose another directory.") from None
    finally:
        os.close(lock)


@contextmanager
def scratch_directory(parent: Path | None = None) -> Iterator[Path]:
    """A new directory in `parent` (default: the system's), readable by this user only, removed at the end of the block.

    It is locked with a lock that the kernel releases however the process ends; so directories of killed processes are
    recognized and removed here.
    """
    parent = parent or Path(tempfile.gettempdir())
    _remove_abandoned(parent)
    path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def _remove_abandoned(parent: Path) -> None:
    for path in parent.glob(f"{_PREFIX}*"):
        try:
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:  # another user's, or removed meanwhile
            continue
        try:
            status = os.fstat(lock)
            if status.st_uid == os.geteuid() and time.time() - status.st_mtime > _SETTLED:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:  # its process is running
            pass
        finally:
            os.close(lock)

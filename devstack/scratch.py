"""A directory for one run of this process, gone at its end; what a killed process left is removed by the next one."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "astegni-scratch-"
# A directory is made and locked in two steps; nobody may take it for abandoned between them.
_SETTLED = 60.0


@contextmanager
def scratch_directory(place: Path | None = None) -> Iterator[Path]:
    """A new directory in `place` (default: the system's), readable by us alone, removed at the end of the block.

    The directory itself carries a lock that the kernel lifts when its process ends in whatever way.
    """
    place = place or Path(tempfile.gettempdir())
    _remove_abandoned(place)
    path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def _remove_abandoned(place: Path) -> None:
    for path in place.glob(f"{_PREFIX}*"):
        try:
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:  # another user's, or gone meanwhile
            continue
        try:
            found = os.fstat(lock)
            if found.st_uid == os.geteuid() and time.time() - found.st_mtime > _SETTLED:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:  # its process lives
            pass
        finally:
            os.close(lock)

"""Where an embedded stack keeps everything: a directory that is kept, or one for this run."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.errors import AlreadyInUse
from devstack.scratch import scratch_directory


@contextmanager
def data_directory(kept: Path | None) -> Iterator[Path]:
    """`kept`, made when it is not there and ours alone within the block, or without it one that is removed after.

    Raises AlreadyInUse when another stack uses `kept`: two brokers would write into one file.
    """
    if kept is None:
        with scratch_directory() as path:
            yield path
        return
    kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(kept, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield kept.absolute()
    except BlockingIOError:
        raise AlreadyInUse(f"{kept} is in use by another stack. Stop it, or choose another directory.") from None
    finally:
        os.close(lock)

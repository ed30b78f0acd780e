"""Files that exist completely or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def removed_on_failure(*targets: Path) -> Iterator[None]:
    """Remove the files when the block raises, or its job is cancelled: a part must not be mistaken for the whole."""
    try:
        yield
    except BaseException:
        for target in targets:
            target.unlink(missing_ok=True)
        raise

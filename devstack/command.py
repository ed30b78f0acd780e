"""What the commands of this package share: where data is kept, and how an error ends them."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.errors import DevstackError


@contextmanager
def folder_or_temporary(folder: Path | None) -> Iterator[Path]:
    """`folder`, or if None a temporary folder that is removed at the end of the block."""
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="devstack-") as temporary:
        yield Path(temporary)


@contextmanager
def report_errors(command: str) -> Iterator[None]:
    """An expected error in the block ends the process with exit code 1 and one sentence on standard error."""
    try:
        yield
    except DevstackError as error:
        sys.exit(f"{command}: {error.detail}")

"""The folder or zip file that an export is written to: nothing of it is there until all is."""

import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from worker.errors import Conflict
from worker.uploads.private_files import create_private, make_private

# Moves the file at the path into the export, under this name.
AddFile = Callable[[str, Path], None]


@contextmanager
def export_target(to: Path) -> Iterator[tuple[Path, AddFile]]:
    """A folder for the file being written, and a function that adds it to the new folder or .zip file `to`.

    Until the end of the block `to` is empty. Only its owner can read it. An error removes it. Raises Conflict when it
    exists already.
    """
    with _reserved(to), tempfile.TemporaryDirectory(prefix=".export-", dir=to.parent) as folder:
        whole = Path(folder, "whole")
        if _is_zip(to):
            with os.fdopen(create_private(whole), "wb") as out, zipfile.ZipFile(out, "w") as archive:
                yield Path(folder), lambda name, path: _add_to(archive, name, path)
        else:
            make_private(whole)
            yield Path(folder), lambda name, path: _move(whole / name, path)
        whole.rename(to)


@contextmanager
def _reserved(to: Path) -> Iterator[None]:
    """Create `to`, empty, so that another export cannot take its name meanwhile."""
    try:
        if _is_zip(to):
            os.close(create_private(to))
        else:
            to.mkdir(mode=0o700)
    except FileExistsError:
        raise Conflict(f"{to} exists already; name a new file or folder.") from None
    try:
        yield
    except BaseException:
        # An OSError: somebody else has changed it meanwhile.
        with suppress(OSError):
            to.unlink() if _is_zip(to) else to.rmdir()
        raise


def _is_zip(to: Path) -> bool:
    return to.suffix == ".zip"


def _add_to(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    # Media do not compress; rows do.
    archive.write(path, name, zipfile.ZIP_DEFLATED if name.startswith("rows/") else zipfile.ZIP_STORED)
    path.unlink()


def _move(target: Path, path: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.replace(target)
    target.chmod(0o600)

"""Programs for browsers as their authors publish them, from the registry of npm."""

import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.waiting import TIMEOUT


def npm_file(package: str, file: str, folder: Path) -> bytes:
    """The file of the package (`name@version`). Skips where npm cannot fetch it; `folder` is written."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"{package} WAS NOT TRIED: `npm` is not installed (apt-get install npm)")
    command = [npm, "pack", "--silent", package]
    packed = subprocess.run(command, check=False, cwd=folder, capture_output=True, timeout=TIMEOUT)
    if packed.returncode:
        pytest.skip(f"{package} WAS NOT TRIED: npm could not fetch it")
    with tarfile.open(folder / packed.stdout.decode().strip()) as archive:
        content = archive.extractfile(f"package/{file}")
        assert content is not None
        return content.read()

"""An emulator for this run, and third-party programs that use it."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from devstack.emulator.embedded import EmbeddedB2

Command = Callable[..., str]

_TIMEOUT = 300  # seconds; 2 GB take about ten on a laptop
_GROWTH = 30_000_000  # bytes, whatever the size of a file


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedB2]:
    root = tmp_path_factory.mktemp("conformance")
    with EmbeddedB2(root / "b2") as started:
        yield started
    shutil.rmtree(root)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """An empty folder, removed at once: there are gigabytes in it."""
    path = tmp_path / "files"
    path.mkdir()
    yield path
    shutil.rmtree(path)


def runner(program: str | Path, environment: dict[str, str]) -> Command:
    def run(*arguments: object) -> str:
        command = [program, *map(str, arguments)]
        done = subprocess.run(
            command, env=environment, capture_output=True, timeout=_TIMEOUT, check=False, text=True, errors="replace"
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


@pytest.fixture
def rclone(server: EmbeddedB2, tmp_path: Path) -> Command:
    """`rclone(*arguments)`: what it prints; it must succeed. The remote is called `b2:`."""
    program = shutil.which("rclone")
    assert program, "rclone is missing. Install it (on Debian: apt-get install rclone)."
    credentials = server.credentials
    return runner(
        program,
        {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "RCLONE_CONFIG": str(tmp_path / "rclone.conf"),
            "RCLONE_CONFIG_B2_TYPE": "b2",
            "RCLONE_CONFIG_B2_ACCOUNT": credentials.key_id,
            "RCLONE_CONFIG_B2_KEY": credentials.application_key,
            "RCLONE_CONFIG_B2_ENDPOINT": credentials.realm,
            # Without it `purge` and `delete` only hide.
            "RCLONE_CONFIG_B2_HARD_DELETE": "true",
            # It would wait between tries; a failure shall be seen.
            "RCLONE_RETRIES": "1",
        },
    )


@pytest.fixture
def b2_command(server: EmbeddedB2, tmp_path: Path) -> Command:
    """`b2_command(*arguments)`: what Backblaze's own command prints; it must succeed."""
    credentials = server.credentials
    return runner(
        Path(sys.executable).with_name("b2"),
        {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "B2_APPLICATION_KEY_ID": credentials.key_id,
            "B2_APPLICATION_KEY": credentials.application_key,
            "B2_ENVIRONMENT": credentials.realm,
            "B2_ACCOUNT_INFO": str(tmp_path / "account_info"),
        },
    )


FlatMemory = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def flat_memory(server: EmbeddedB2) -> FlatMemory:
    """`with flat_memory():` the emulator's greatest memory ever must not rise by 30 MB."""

    @contextmanager
    def watch() -> Iterator[None]:
        before = _peak_memory(server)
        yield
        grown = _peak_memory(server) - before
        assert grown < _GROWTH, f"The emulator grew by {grown / 1e6:.0f} MB."

    return watch


def _peak_memory(server: EmbeddedB2) -> int:
    """In bytes (proc(5): VmHWM)."""
    assert server.process is not None
    [kilobytes] = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{server.process.pid}/status").read_text())
    return int(kilobytes) * 1024


@pytest.fixture
def blobs(server: EmbeddedB2) -> Callable[[], int]:
    """`blobs()`: how many files the emulator keeps."""
    return lambda: len(list((server.root / "blobs").glob("*/*")))


@pytest.fixture
def sparse(folder: Path) -> Callable[[str, int], Path]:
    """`sparse(name, size)`: a big file that takes no room, with a mark every 10 MB so that no two parts are alike."""

    def make(name: str, size: int) -> Path:
        path = folder / name
        with path.open("wb") as file:
            file.truncate(size)
            for offset in range(0, size, 10_000_000):
                file.seek(offset)
                file.write(offset.to_bytes(8))
            file.truncate(size)
        return path

    return make


@pytest.fixture
def digest() -> Callable[[Path], str]:
    """`digest(path)`: hex SHA-1."""

    def compute(path: Path) -> str:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()

    return compute

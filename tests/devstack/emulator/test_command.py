"""The official `b2` command against the emulator, as a person would use it."""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devstack.directories import scratch_directory
from devstack.emulator.embedded import EmbeddedB2
from devstack.forked_process import ForkServer
from tests.waiting import TIMEOUT

# What the command runs, and what that imports.
B2, MODULES = "b2._internal.b2v5.__main__", ["b2._internal.b2v5.registry"]
Command = Callable[..., str]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedB2]:
    with EmbeddedB2(tmp_path / "b2") as started:
        yield started


@pytest.fixture(scope="module")
def forks() -> Iterator[ForkServer]:
    """The command `b2`, imported once: that takes most of the time of each."""
    with scratch_directory() as folder, ForkServer(folder / "log", MODULES, os.environ) as server:
        yield server


@pytest.fixture
def b2_command(server: EmbeddedB2, forks: ForkServer, tmp_path: Path) -> Command:
    """`b2_command(*arguments)`: what the command prints; it must succeed. It authorizes itself when needed."""
    environment = {
        **os.environ,
        "B2_APPLICATION_KEY_ID": server.credentials.key_id,
        "B2_APPLICATION_KEY": server.credentials.application_key,
        "B2_ENVIRONMENT": server.credentials.realm,
        "B2_ACCOUNT_INFO": str(tmp_path / "account_info"),
        "HOME": str(tmp_path),
    }

    def run(*arguments: object) -> str:
        done = forks.run("b2", B2, [*map(str, arguments)], environment, timeout=TIMEOUT)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def peak_memory(server: EmbeddedB2) -> int:
    """The most memory the server's process ever had, in bytes (proc(5): VmHWM)."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    [kilobytes] = re.findall(r"VmHWM:\s+(\d+) kB", status)
    return int(kilobytes) * 1024


def test_a_day_with_the_command_line(b2_command: Command, tmp_path: Path) -> None:
    here, back = tmp_path / "here.txt", tmp_path / "back.txt"
    here.write_text("hello")
    name = "my lessons/ትምህርት ä + 100% 📼.txt"
    assert json.loads(b2_command("account", "authorize"))["isMasterKey"]
    b2_command("bucket", "create", "my-bucket", "allPrivate")
    b2_command("file", "upload", "--no-progress", "my-bucket", here, name)
    b2_command("file", "upload", "--no-progress", "my-bucket", here, name)
    versions = b2_command("ls", "--recursive", "--versions", "--long", "b2://my-bucket")
    assert versions.count(name) == 2
    b2_command("file", "download", "--no-progress", f"b2://my-bucket/{name}", back)
    assert back.read_text() == "hello"
    b2_command("file", "hide", f"b2://my-bucket/{name}")
    assert b2_command("ls", "--recursive", "b2://my-bucket") == ""
    assert "hide" in b2_command("ls", "--recursive", "--versions", "--long", "b2://my-bucket")
    b2_command("rm", "--recursive", "--versions", "--no-progress", "b2://my-bucket")
    b2_command("bucket", "delete", "my-bucket")
    assert "my-bucket" not in b2_command("bucket", "list")


def test_a_big_file_with_many_threads(server: EmbeddedB2, b2_command: Command, tmp_path: Path) -> None:
    """210 MB by ten threads in parts of 5 MB, and back: the emulator may grow by a seventh of that."""
    here, back, name = tmp_path / "here.bin", tmp_path / "back.bin", "big ones/größe 1.bin"
    with here.open("wb") as file:
        file.write(b"head")
        file.truncate(210_000_000)
    bucket = server.credentials.bucket
    b2_command("ls", f"b2://{bucket}")
    before = peak_memory(server)
    parts = ["--threads", 10, "--min-part-size", 5_000_000]
    output = b2_command("file", "upload", "--no-progress", *parts, bucket, here, name)
    assert f"URL by file name: {server.credentials.realm}/file/{bucket}/big%20ones/gr%C3%B6%C3%9Fe%201.bin" in output
    b2_command("file", "download", "--no-progress", "--threads", 10, f"b2://{bucket}/{name}", back)
    assert digest(back) == digest(here)
    assert peak_memory(server) - before < 30_000_000
    assert len(list((tmp_path / "b2" / "blobs").glob("*/*"))) > 2
    b2_command("rm", "--versions", "--no-progress", f"b2://{bucket}/{name}")
    assert list((tmp_path / "b2" / "blobs").glob("*/*")) == []


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()

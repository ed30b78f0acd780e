"""`astegni ingest` with a file that cannot be read: one sentence and an exit code, no wait, no traceback."""

import os
import subprocess
from pathlib import Path

import pytest

from worker.cli.local_stack.command import astegni
from worker.cli.local_stack.environment import environment_without_settings
from worker.cli.recording_file import RecordingFile, UnreadableFile


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Nothing listens at that address: a readable file would end with a sentence about the API."""
    command = [*astegni("ingest"), *words, "--session", "1", "--api", "http://127.0.0.1:9", "--token", "x"]
    settings = environment_without_settings()
    return subprocess.run(command, env=settings, capture_output=True, text=True, timeout=120, check=False)


def test_what_is_no_readable_file_ends_the_command_with_a_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.webm")
    for path, words in (
        (tmp_path / "pipe.webm", "is a pipe"),
        (tmp_path, "is a directory"),
        # A file whose first byte cannot be read.
        (Path("/proc/self/mem"), "cannot be read"),
    ):
        ended = run(str(path))
        assert ended.returncode == 1, ended.stderr
        assert words in ended.stderr
        assert "Traceback" not in ended.stderr


def test_a_file_that_grows_is_read_as_long_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "lesson.webm"
    path.write_bytes(b"a" * 100_000)
    pieces: list[int] = []
    with RecordingFile(path, pieces.append) as file:
        with path.open("ab") as more:
            more.write(b"b" * 50_000)
        assert b"".join(file) == b"a" * 100_000
        assert (file.seek(0, os.SEEK_END), file.tell(), file.read()) == (100_000, 100_000, b"")
    assert sum(pieces) == 100_000


def test_a_file_that_becomes_shorter_is_said(tmp_path: Path) -> None:
    path = tmp_path / "lesson.webm"
    path.write_bytes(b"a" * 100_000)
    with RecordingFile(path) as file:
        file.read(1000)
        os.truncate(path, 1000)
        with pytest.raises(UnreadableFile, match="became shorter"):
            file.read(1000)

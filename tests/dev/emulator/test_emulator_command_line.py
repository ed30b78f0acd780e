"""The official `b2` command against the emulator, as a person would use it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from worker.dev.emulator.credentials import Credentials

B2 = Path(sys.executable).with_name("b2")
Command = Callable[..., str]


@pytest.fixture
def b2_command(b2_here: Credentials, tmp_path: Path) -> Command:
    environment = {
        **os.environ,
        "B2_APPLICATION_KEY_ID": b2_here.key_id,
        "B2_APPLICATION_KEY": b2_here.application_key,
        "B2_ENVIRONMENT": b2_here.realm,
        "B2_ACCOUNT_INFO": str(tmp_path / "account_info"),
        "HOME": str(tmp_path),
    }

    def run(*arguments: object) -> str:
        done = subprocess.run(
            [B2, *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_a_day_with_the_command_line(b2_command: Command, tmp_path: Path) -> None:
    here, back = tmp_path / "here.txt", tmp_path / "back.txt"
    here.write_text("hello")
    name = "my lessons/first + last.txt"
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

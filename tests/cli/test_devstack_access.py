"""What commands say where devstack is not installed, as in the image."""

import os
import subprocess
import sys

import pytest

# Python's own way to make an import fail.
_WITHOUT_DEVSTACK = "import sys; sys.modules['devstack'] = None; from worker.cli.main import main; main()"


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-c", _WITHOUT_DEVSTACK, *words]
    return subprocess.run(command, env={"PATH": os.defpath}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "command", ["up", "demo", "b2 serve", "mailbox serve"], ids=lambda command: command.replace(" ", "-")
)
def test_a_command_that_needs_it_says_what_to_install(command: str) -> None:
    ended = _run(*command.split())

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"astegni: `astegni {command}` needs the embedded servers of devstack, ")
    assert "make install" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_other_commands_do_without() -> None:
    ended = _run("schedules", "preview", "every Monday")

    assert (ended.returncode, ended.stderr) == (0, "")

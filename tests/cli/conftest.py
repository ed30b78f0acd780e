"""The command `astegni` in this process: to start Python and import takes most of the time of a command."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest

from worker.cli.main import main


@dataclass(frozen=True)
class CommandResult:
    """How a command ended and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def _call(words: Sequence[str], environment: Mapping[str, str], folder: Path) -> CommandResult:
    environment_before, folder_before, words_before = dict(os.environ), Path.cwd(), sys.argv
    out, err, code = StringIO(), StringIO(), 0
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["astegni", *words]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.argv = words_before
        os.chdir(folder_before)
        os.environ.clear()
        os.environ.update(environment_before)
    return CommandResult(code, out.getvalue(), err.getvalue())


CallCommand = Callable[[Sequence[str], Mapping[str, str], Path], CommandResult]


@pytest.fixture
def call_command() -> CallCommand:
    """`call_command(words, environment, folder)`: how `astegni WORDS` ends there, with no other environment.

    Not for commands that configure the logs of their process, nor while a thread of the test prints.
    """
    return _call

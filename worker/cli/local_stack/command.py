"""The command `astegni` as a child process starts it."""

import sys


def astegni(*arguments: str) -> list[str]:
    """The command of this very interpreter; -P keeps a folder `worker` of the current directory out."""
    return [sys.executable, "-P", "-m", "worker.cli", *arguments]

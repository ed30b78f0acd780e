"""The command line that starts `astegni` as a child process."""

import sys


def astegni(*arguments: str) -> list[str]:
    """`astegni` in the same interpreter; -P prevents the import of a folder `worker` in the current directory."""
    return [sys.executable, "-P", "-m", "worker.cli", *arguments]

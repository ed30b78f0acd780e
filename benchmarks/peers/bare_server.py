"""Starts the bare upload handler in its own process."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.process import ChildProcess, wait_until

_ROOT = Path(__file__).parents[2]


@contextmanager
def bare_server(folder: Path) -> Iterator[str]:
    """The address of the server; it stores uploads in `folder`."""
    folder.mkdir(exist_ok=True)
    port_file = folder.with_suffix(".port")
    with port_file.open("wb") as stdout:
        server = ChildProcess(
            "bare upload",
            [sys.executable, "-m", "benchmarks.peers.bare_upload", folder],
            folder.with_suffix(".log"),
            cwd=_ROOT,
            stdout=stdout,
        )
    try:
        wait_until(lambda: port_file.read_text().endswith("\n"), server, 30)
        yield f"http://127.0.0.1:{int(port_file.read_text())}"
    finally:
        server.kill()

"""Serve the emulator and print how to reach it."""

import sys
from pathlib import Path

from devstack.command import folder_or_temporary
from devstack.emulator.credentials import Credentials
from devstack.emulator.server import BUCKET, run_emulator


def serve(data: Path | None, *, host: str = "127.0.0.1", port: int = 0, bucket: str = BUCKET, json: bool) -> None:
    """Serve the store in `data` (None: a temporary folder) until SIGTERM or SIGINT.

    When calls are answered, the credentials are printed: with `json` as one line of JSON, else as text.
    """

    def ready(credentials: Credentials) -> None:
        sys.stdout.write(f"{credentials.as_json() if json else _as_text(credentials)}\n")
        sys.stdout.flush()

    with folder_or_temporary(data) as folder:
        run_emulator(folder, host=host, port=port, bucket=bucket, on_ready=ready)


def _as_text(credentials: Credentials) -> str:
    return f"B2 emulator at {credentials.realm}"

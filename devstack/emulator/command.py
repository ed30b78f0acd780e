"""Serve the emulator and print how to reach it."""

import sys
from pathlib import Path

from devstack.command import folder_or_temporary
from devstack.emulator.credentials import Credentials
from devstack.emulator.server import run_emulator
from devstack.emulator.store.bucket_records import DEFAULT_BUCKET


def serve(
    data: Path | None, *, host: str = "127.0.0.1", port: int = 0, bucket: str = DEFAULT_BUCKET, json: bool
) -> None:
    """Serve the store in `data` (None: a temporary folder) until SIGTERM or SIGINT.

    When calls are accepted, the credentials are printed: with `json` as one line of JSON, else as text.
    """

    def ready(credentials: Credentials) -> None:
        sys.stdout.write(f"{credentials.as_json() if json else _as_text(credentials)}\n")
        sys.stdout.flush()

    with folder_or_temporary(data) as folder:
        run_emulator(folder, host=host, port=port, bucket=bucket, on_ready=ready)


def _as_text(credentials: Credentials) -> str:
    """Lines for a shell, under the names that the `b2` command reads."""
    return (
        f"# B2 emulator at {credentials.realm}, private bucket {credentials.bucket}\n"
        f"export B2_ENVIRONMENT={credentials.realm}"
        f" B2_APPLICATION_KEY_ID={credentials.key_id} B2_APPLICATION_KEY={credentials.application_key}"
    )

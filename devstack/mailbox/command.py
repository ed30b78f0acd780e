"""Serve the mailbox and print how to reach it."""

import sys
from pathlib import Path

from devstack.command import folder_or_temporary
from devstack.mailbox.addresses import Addresses
from devstack.mailbox.server import run_mailbox


def serve(data: Path | None, *, smtp_port: int = 0, port: int = 0, json: bool) -> None:
    """Store mail in `data` (None: a temporary folder) until SIGTERM or SIGINT.

    When both sides accept connections, their addresses are printed: with `json` as one line of JSON, else as text.
    """

    def ready(addresses: Addresses) -> None:
        text = addresses.as_json() if json else f"Mail sent to {addresses.smtp} is shown at {addresses.url}"
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    with folder_or_temporary(data) as folder:
        run_mailbox(folder, smtp_port=smtp_port, port=port, on_ready=ready)

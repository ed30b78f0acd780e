"""Runs the mailbox in the foreground until it is told to stop: SMTP and HTTP in one loop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from starlette.applications import Starlette

from devstack.foreground_server import ForegroundServer, authority, listen
from devstack.mailbox.addresses import Addresses
from devstack.mailbox.app import create_mailbox
from devstack.mailbox.receiving import protocol, require_smtp
from devstack.mailbox.store import Letters

_LOOPBACK = "127.0.0.1"


def run_mailbox(root: Path, *, smtp_port: int = 0, port: int = 0, on_ready: Callable[[Addresses], None]) -> None:
    """Keep mail in folder `root` until SIGTERM or SIGINT, on loopback only: whoever reaches it reads all mail.

    A port of 0 is a free one. `on_ready` is called once, when both sides answer. Raises AlreadyInUse when a port is
    taken, PackageMissing without the embedded parts.
    """
    require_smtp()
    letters = Letters(root)
    with listen(_LOOPBACK, smtp_port) as smtp, listen(_LOOPBACK, port) as http:

        @asynccontextmanager
        async def receiving(_app: Starlette) -> AsyncIterator[None]:
            server = await asyncio.get_running_loop().create_server(partial(protocol, letters), sock=smtp)
            yield
            server.close()

        addresses = Addresses(authority(smtp), f"http://{authority(http)}")
        app = create_mailbox(letters, lifespan=receiving)
        ForegroundServer(app, lambda: on_ready(addresses)).run(sockets=[http])

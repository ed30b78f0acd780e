"""Run the mailbox in the foreground: SMTP and HTTP in one event loop."""

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
from devstack.mailbox.store import MessageStore

_LOOPBACK = "127.0.0.1"


def run_mailbox(root: Path, *, smtp_port: int = 0, port: int = 0, on_ready: Callable[[Addresses], None]) -> None:
    """Serve until SIGTERM or SIGINT, with messages in folder `root`; on loopback only, since there is no login.

    A port of 0 is a free one. `on_ready` is called once, when both sides accept connections. Raises AlreadyInUse when
    a port is taken, PackageMissing without aiosmtpd.
    """
    require_smtp()
    store = MessageStore(root)
    with listen(_LOOPBACK, smtp_port) as smtp, listen(_LOOPBACK, port) as http:

        @asynccontextmanager
        async def receiving(_app: Starlette) -> AsyncIterator[None]:
            server = await asyncio.get_running_loop().create_server(partial(protocol, store), sock=smtp)
            yield
            server.close()

        addresses = Addresses(authority(smtp), f"http://{authority(http)}")
        app = create_mailbox(store, lifespan=receiving)
        ForegroundServer(app, lambda: on_ready(addresses)).run(sockets=[http])

"""The API as a process: build its dependencies, serve, and close them."""

import gc
import signal
from functools import partial
from socket import socket
from types import FrameType

import uvicorn

from worker.access.safety import require_safe
from worker.address_values import is_loopback
from worker.api.app import create_api
from worker.api.http.bounded_protocol import BoundedProtocol
from worker.api.http.connection_bounds import Bounds, raise_descriptors
from worker.api.http.connections import Connections
from worker.api.services import Services
from worker.app import create_app
from worker.logs import get_logger
from worker.processes.broker import start_publisher
from worker.settings import Settings
from worker.tracing.tracing import Tracing
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS

_log = get_logger(__name__)

# Synchronous routes run in this many threads (anyio's default); each may need a connection.
_CONNECTIONS = 40
# At SIGTERM a running upload has this long to finish; its client resends a request without a response.
_GRACEFUL_SECONDS = 20


class Server(uvicorn.Server):
    """Uvicorn with a shutdown that ends event streams, since it waits for open responses and those never end."""

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """End the streams first; their clients reconnect to another process."""
        state = self.config.app.state  # type: ignore[union-attr]
        for subscriptions in (state.subscriptions, state.inbox_subscriptions):
            await subscriptions.close()
        await super().shutdown(sockets)


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM. Raises Misconfigured when the settings would give untrusted users access."""
    require_safe(settings, settings.api_host)
    if settings.public_base_url is None and not is_loopback(settings.api_host):
        # Then addresses given to people contain this machine's own address, which few of them can reach.
        _log.warning("public_base_url_missing", api_host=settings.api_host)
    celery = create_app(settings, ())
    tracing = Tracing(settings, "api")
    tracing.start()
    database, publisher = start_publisher(celery, settings, connections=_CONNECTIONS)
    try:
        api = create_api(Services(settings, database, FAILURE_HOOKS, lambda: publisher.dropped))
        connections = Connections(Bounds.of(settings, raise_descriptors()))
        api.state.metrics.watch_connections(connections)
        config = uvicorn.Config(
            api,
            http=partial(BoundedProtocol, connections),  # type: ignore[arg-type]  # any function that creates a protocol
            forwarded_allow_ips=[str(network) for network in settings.trusted_proxies],
            timeout_keep_alive=settings.api_idle_seconds,
            host=settings.api_host,
            port=settings.api_port,
            log_config=None,
            access_log=False,  # worker/api/operations/request_log.py logs more, and no query strings
            server_header=False,
            timeout_graceful_shutdown=_GRACEFUL_SECONDS,
        )
        # Uvicorn raises the signal again when it has stopped; the default handler would leave no time to close.
        signal.signal(signal.SIGTERM, _leave)
        # Objects loaded by now live until the end: scanning them for garbage paused every request for 0.1 s.
        gc.collect()
        gc.freeze()
        Server(config).run()
    finally:
        publisher.stop()
        database.close()
        tracing.stop()
        celery.close()

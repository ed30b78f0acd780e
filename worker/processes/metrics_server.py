"""Serve `/metrics` of a worker's main process or of beat at METRICS_PORT."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app

from worker.errors import Misconfigured
from worker.jobs.orders.registered import order_kinds
from worker.metrics.families import families_of
from worker.metrics.recorder import record_to
from worker.metrics.shared_metrics import SharedMetrics
from worker.processes.metrics_http import MetricsHttpServer
from worker.settings import Settings


@dataclass(frozen=True)
class ProcessMetricsEndpoint:
    """What the processes of a worker record, and the server that shows it; both None without METRICS_PORT."""

    metrics: SharedMetrics
    server: WSGIServer | None


@contextmanager
def serving_metrics(settings: Settings, *, children: int = 0) -> Iterator[ProcessMetricsEndpoint]:
    """Record this process's metrics, and those of `children` that it will fork, and serve them at METRICS_PORT.

    Raises Misconfigured when the port is taken.
    """
    metrics = SharedMetrics(families_of(order_kinds()), children=children)
    record_to(metrics)
    server = None if settings.metrics_port is None else _start(settings, settings.metrics_port, metrics)
    try:
        yield ProcessMetricsEndpoint(metrics, server)
    finally:
        record_to(None)
        if server is not None:
            server.shutdown()
            server.server_close()


def enter_child(endpoint: ProcessMetricsEndpoint | None, number: int) -> None:
    """In a child: record in its own slot, and close the port that it has inherited.

    A child that outlived its main process would otherwise keep the port from the next one.
    """
    if endpoint is None:
        return
    endpoint.metrics.use_slot(number)
    if endpoint.server is not None:
        endpoint.server.socket.close()


def _start(settings: Settings, port: int, metrics: SharedMetrics) -> WSGIServer:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(metrics)
    try:
        server = MetricsHttpServer(settings.metrics_host, port, make_wsgi_app(registry))
    except OSError as error:
        raise Misconfigured(
            f"METRICS_PORT {port} of {settings.metrics_host} cannot be used: {error.strerror}. "
            "Give each worker and beat of a machine a port of its own."
        ) from error
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server

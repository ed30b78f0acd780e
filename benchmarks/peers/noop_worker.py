"""A worker like `astegni worker`: `ours` runs jobs of the ledger, the others are Celery alone with the same settings.

`bare` is Celery as it comes; `patched` has our Redis transport, our batches of events, and no log lines of messages.
"""

import sys

from celery import Celery, signals

from worker.app import create_app, quieten_celery, run_worker
from worker.celery_settings import celery_config
from worker.logs import configure_logs
from worker.processes.broker_transports import install_transports
from worker.processes.events import GatherEvents
from worker.processes.liveness import report_liveness
from worker.settings import Settings


def create_bare_app(settings: Settings, *, patched: bool) -> Celery:
    """Celery with the project's settings, and nothing else from it but what `patched` says."""
    app = Celery("bare", broker=settings.broker_url, include=["benchmarks.peers.noop_task"])
    app.conf.update(celery_config(settings))
    if patched:
        install_transports(settings.broker)
        app.steps["consumer"].add(GatherEvents)
    else:
        # kombu's own transport: in the enqueuing process `redis://` uses ours.
        app.conf.broker_transport = "kombu.transport.redis:Transport"
    return app


def _run_bare(settings: Settings, *, patched: bool) -> None:
    app = create_bare_app(settings, patched=patched)
    app.set_current()
    if patched:
        quieten_celery()
    signals.worker_ready.connect(lambda **_signal: report_liveness(), weak=False)
    words = ["worker", "--queues", "default", "--hostname", "bare@%h", "--without-gossip", "--without-mingle"]
    app.worker_main([*words, "--concurrency", str(settings.worker_concurrency), "--loglevel", settings.log_level])


def main(which: str) -> None:
    """Run until stopped."""
    settings = Settings()
    configure_logs(settings.log_level)
    if which in {"bare", "patched"}:
        _run_bare(settings, patched=which == "patched")
    else:
        app = create_app(settings, ("benchmarks.peers.noop_order",))
        run_worker(app, ["default"], name="ours", concurrency=settings.worker_concurrency, log_level=settings.log_level)


if __name__ == "__main__":
    main(sys.argv[1])

"""A worker like `astegni worker`: `ours` runs jobs of the ledger, `bare` is bare Celery with the same settings."""

import sys

from celery import Celery, signals

from worker.app import create_app, run_worker
from worker.celery_settings import celery_config
from worker.logs import configure_logs
from worker.processes.liveness import show_alive
from worker.settings import Settings


def create_bare_app(settings: Settings) -> Celery:
    """Celery with the project's settings and nothing else from it."""
    app = Celery("bare", broker=settings.broker_url, include=["benchmarks.bare_nothing"])
    app.conf.update(celery_config(settings))
    # kombu's own transport: in the enqueuing process `redis://` uses ours.
    app.conf.broker_transport = "kombu.transport.redis:Transport"
    return app


def _run_bare(settings: Settings) -> None:
    app = create_bare_app(settings)
    app.set_current()
    signals.worker_ready.connect(lambda **_signal: show_alive(), weak=False)
    words = ["worker", "--queues", "default", "--hostname", "bare@%h", "--without-gossip", "--without-mingle"]
    app.worker_main([*words, "--concurrency", str(settings.worker_concurrency), "--loglevel", settings.log_level])


def main(which: str) -> None:
    """Run until stopped."""
    settings = Settings()
    configure_logs(settings.log_level)
    if which == "bare":
        _run_bare(settings)
    else:
        app = create_app(settings, ("benchmarks.nothing",))
        run_worker(app, ["default"], name="ours", concurrency=settings.worker_concurrency, log_level=settings.log_level)


if __name__ == "__main__":
    main(sys.argv[1])

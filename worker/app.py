"""The Celery application: how work is delivered. The work itself is stored in PostgreSQL (worker/jobs).

An entry point builds it from the settings (`create_app`); importing this module has no side effects.
"""

import logging
import os
import socket
from collections.abc import Sequence
from uuid import uuid4

from celery import Celery, signals
from celery.apps import worker as celery_worker
from celery.worker import state

from worker.celery_settings import celery_config
from worker.database import DATABASE_ERRORS, Database
from worker.errors import AstegniError
from worker.jobs.runs.settle import release_runs
from worker.jobs.runs.wait_for_database import retry_while_database_down
from worker.logs import get_logger
from worker.processes.broker_transports import install_transports
from worker.processes.child import close_child, open_child, record_end
from worker.processes.events import GatherEvents
from worker.processes.ledger_maintenance import LedgerMaintenance
from worker.processes.liveness import report_liveness
from worker.processes.metrics_server import serving_metrics
from worker.processes.reminder_dispatcher import DispatchReminders
from worker.processes.storage_check import CheckStorage
from worker.processes.worker_shutdown import BoundedWorker
from worker.settings import Settings
from worker.tracing.tracing import load_packages
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS

_log = get_logger(__name__)

# Seconds to keep trying while the database is down: it may be restarting at the same time. A supervisor must allow at
# least this much after the soft shutdown.
_GIVE_BACK_SECONDS = 7.0

# Listed explicitly, so that nothing is registered by scanning a folder. Celery imports them by name.
TASK_MODULES = (
    "tasks.recordings",
    "tasks.canvases",
    "tasks.reminders",
    "tasks.schedules",
    "tasks.upkeep",
    "tasks.uploads",
)


class WorkerFailed(AstegniError):
    """The worker ended because of an error."""

    code, title = "worker-failed", "Worker failed"


def create_app(settings: Settings, task_modules: Sequence[str] = TASK_MODULES) -> Celery:
    """The application of one process: worker, beat, Flower, or the publisher inside the API."""
    load_packages(settings)
    install_transports(settings.broker)
    app = Celery("astegni", broker=settings.broker_url, include=list(task_modules), set_as_current=True)
    app.conf.update(celery_config(settings))
    app.settings = settings
    # Unique for each start of a process, not just the host's name: a restarted worker must not be confused with its
    # predecessor. Children inherit it.
    app.process_name = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
    # In a worker: where its children record what they measure.
    app.metrics = None
    app.Worker = app.subclass_with_self(BoundedWorker, reverse="Worker")
    app.steps["worker"].add(LedgerMaintenance)
    app.steps["worker"].add(DispatchReminders)
    app.steps["worker"].add(CheckStorage)
    app.steps["consumer"].add(GatherEvents)
    signals.setup_logging.connect(_keep_our_logging)
    signals.worker_process_init.connect(open_child)
    signals.task_postrun.connect(record_end)
    signals.worker_process_shutdown.connect(close_child)
    signals.worker_ready.connect(_report_liveness)
    signals.heartbeat_sent.connect(_report_liveness)
    return app


def run_worker(app: Celery, queues: Sequence[str], *, name: str, concurrency: int, log_level: str = "INFO") -> None:
    """Consume these queues until SIGTERM, then release the jobs that were still running.

    Celery does not send its own shutdown signal when it had to interrupt running jobs, so this does not rely on it.
    Raises WorkerFailed when the worker ended without a request to stop: Celery only logs that and exits with status 0,
    so a supervisor that restarts on failure would not restart it.
    """
    # Quiet: the banner is not a log line.
    arguments = ["--quiet", "worker", "--queues", ",".join(queues), "--hostname", f"{name}@%h"]
    arguments += ["--concurrency", str(concurrency)]
    # Gossip and mingle are for clusters that elect leaders and share clocks; here they cost a second at every start.
    arguments += ["--loglevel", log_level, "--without-gossip", "--without-mingle"]
    celery_worker.safe_say = _discard
    with serving_metrics(app.settings, children=concurrency) as app.metrics:
        try:
            app.worker_main(arguments)
            if state.should_stop is None and state.should_terminate is None:
                raise WorkerFailed(f"The worker {name} ended by itself; its log says why.")
        finally:
            _give_back(app)


def _discard(*_words: object) -> None:
    """Discard Celery's shutdown notice on standard output; the log has `worker_stopped` instead."""


def _give_back(app: Celery) -> None:
    """Release the jobs that the children were running when they exited; no attempt is charged."""
    database = Database(app.settings.sqlalchemy_url, pool_size=1, max_overflow=0)
    try:
        released = retry_while_database_down(
            lambda: release_runs(database, FAILURE_HOOKS, app.process_name), seconds=_GIVE_BACK_SECONDS
        )
        _log.info("worker_stopped", released=released)
    except DATABASE_ERRORS as error:  # the reaper will take the runs back
        _log.warning("runs_not_released", error=type(error).__name__)
    finally:
        database.close()


# These loggers report the arrival and success of every message, which our own log lines do with the job's id. Their
# warnings and errors are still logged.
_LOGGERS_OF_MESSAGES = ("celery.worker.strategy", "celery.app.trace")


def _keep_our_logging(**_signal: object) -> None:
    """Keep Celery from configuring logging, which worker/logs.py has done: it does not while this is connected."""
    quieten_celery()


def quieten_celery() -> None:
    """Silence Celery's log lines about every message; its warnings and errors are still logged."""
    for name in _LOGGERS_OF_MESSAGES:
        logging.getLogger(name).setLevel(logging.WARNING)


def _report_liveness(**_signal: object) -> None:
    """Record a sign of life: Celery sends a heartbeat only while its event loop runs and its broker responds."""
    report_liveness()

"""The Celery application: how work is delivered. The work itself is stored in PostgreSQL (worker/jobs).

An entry point builds it from the settings (`create_app`); importing this module has no side effects.
"""

import logging
import os
import socket
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from celery import Celery, signals
from celery.apps import worker as celery_worker
from celery.worker import state

from worker.database import DATABASE_ERRORS, Database
from worker.errors import AstegniError, Misconfigured
from worker.jobs.board_orders import SnapshotChanged
from worker.jobs.routine_orders import (
    AdvanceLessons,
    FillSeries,
    PruneLedger,
    PullPlatform,
    SealUploads,
    SendOverdue,
    SweepObjects,
    SweepPeople,
    SweepSpool,
)
from worker.jobs.settle import release_runs
from worker.jobs.wait_for_database import retry_while_database_down
from worker.logs import get_logger
from worker.processes.broker import EXCHANGE, queue
from worker.processes.child import close_child, open_child
from worker.processes.events import GatherEvents
from worker.processes.ledger_maintenance import LedgerMaintenance
from worker.processes.liveness import show_alive
from worker.processes.redis_transport import install_patched_transport
from worker.processes.reminder_dispatcher import QUEUE as REMINDERS
from worker.processes.reminder_dispatcher import DispatchReminders
from worker.processes.storage_check import CheckStorage
from worker.processes.worker_shutdown import BoundedWorker
from worker.settings import Settings

_log = get_logger(__name__)

# The database may be restarting at that moment; a supervisor waits at least this long after the soft shutdown.
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


# PostgreSQL records what has been done and how it ended.
_TRUTH: dict[str, Any] = {
    # Status and results belong to the ledger. Without this every task would also write to Redis, where an outage
    # blocks the worker and keys accumulate.
    "task_ignore_result": True,
    "result_backend": None,
    # JSON only: unpickling a message would run any code that somebody with access to the broker put there.
    "task_serializer": "json",
    "accept_content": ["json"],
    "enable_utc": True,
    "timezone": "UTC",
}

# How a message reaches a child, and when it is acknowledged.
_DELIVERY: dict[str, Any] = {
    # A message is acknowledged after its run, so the broker redelivers that of a killed worker; claiming rejects it
    # if the reaper was faster.
    "task_acks_late": True,
    # A child takes one message at a time: prefetched ones would wait behind a long lesson while other children idle.
    "worker_prefetch_multiplier": 1,
    # The ledger does the retries, so a failed or timed-out run is acknowledged like any other.
    "task_acks_on_failure": True,
    "task_acks_on_timeout": True,
    # True would redeliver a job that kills its worker for ever. The reaper counts the attempts and ends it.
    "task_reject_on_worker_lost": False,
    "task_retry_on_worker_lost": False,
    # Losing the broker does not stop running jobs: the lease in PostgreSQL decides who owns a job.
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    # We never use an ETA (a job that is not due is not published); this limits the damage of a mistake.
    "worker_eta_task_limit": 100,
}

# What a child may consume.
_LIMITS: dict[str, Any] = {
    # For batches of reminders; a job's message carries its own limits.
    "task_soft_time_limit": 270,
    "task_time_limit": 300,
    # A child is replaced after this many tasks or this much memory (KiB), which bounds memory leaks in C libraries.
    "worker_max_tasks_per_child": 500,
    "worker_max_memory_per_child": 400_000,
}

# How a worker shuts down.
_SHUTDOWN: dict[str, Any] = {
    # After SIGTERM (handled as SIGQUIT, see worker/cli) running jobs have this long; the rest are released.
    "worker_soft_shutdown_timeout": 20.0,
    # An idle worker may exit at once: the setting is for workers with ETA messages, which ours never have.
    "worker_enable_soft_shutdown_on_idle": False,
}

# The connection to the broker: every wait has a timeout.
_LINK: dict[str, Any] = {
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_pool_limit": 10,
    "broker_pool_acquire_timeout": 2.0,
    "broker_transport_options": {
        # The same in every process: the shortest of all clients takes effect. It need not exceed the longest job,
        # since claiming rejects what is redelivered too early.
        "visibility_timeout": 600,
        # Check for unacknowledged messages every 5 s; the default is about every 100 s.
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        # Without these a hanging Redis blocks its caller for ever.
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "retry_on_timeout": False,
        "global_keyprefix": "astegni:",
        "client_name": "astegni",
    },
    "task_publish_retry_policy": {
        "max_retries": 2,
        "interval_start": 0.1,
        "interval_step": 0.2,
        "interval_max": 0.5,
    },
}

# What operators see in Flower, and our own logs.
_OBSERVATION: dict[str, Any] = {
    "worker_send_task_events": True,
    "task_send_sent_event": True,
    # Our own logging (worker/logs.py) stays in place.
    "worker_hijack_root_logger": False,
}


class WorkerFailed(AstegniError):
    """The worker ended because of an error."""

    code, title = "worker-failed", "Worker failed"


def create_app(settings: Settings, task_modules: Sequence[str] = TASK_MODULES) -> Celery:
    """The application of one process: worker, beat, Flower, or the publisher inside the API."""
    install_patched_transport()
    app = Celery("astegni", broker=settings.broker_url, include=list(task_modules), set_as_current=True)
    app.conf.update(celery_config(settings))
    app.settings = settings
    # Unique for each start of a process, not just the host's name: a restarted worker must not be confused with its
    # predecessor. Children inherit it.
    app.process_name = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
    app.Worker = app.subclass_with_self(BoundedWorker, reverse="Worker")
    app.steps["worker"].add(LedgerMaintenance)
    app.steps["worker"].add(DispatchReminders)
    app.steps["worker"].add(CheckStorage)
    app.steps["consumer"].add(GatherEvents)
    signals.setup_logging.connect(_keep_our_logging)
    signals.worker_process_init.connect(open_child)
    signals.worker_process_shutdown.connect(close_child)
    signals.worker_ready.connect(_show_alive)
    signals.heartbeat_sent.connect(_show_alive)
    return app


def run_worker(app: Celery, queues: Sequence[str], *, name: str, concurrency: int, log_level: str = "INFO") -> None:
    """Work on these queues until SIGTERM, then release the jobs that were still running.

    Celery does not send its own shutdown signal when running jobs had to be interrupted, so this does not rely on it.
    Raises WorkerFailed when it ended without a request to stop: Celery only logs that and exits with status 0, and a
    supervisor that restarts on failure would not restart it.
    """
    # Quiet: the banner is not a log line.
    arguments = ["--quiet", "worker", "--queues", ",".join(queues), "--hostname", f"{name}@%h"]
    arguments += ["--concurrency", str(concurrency)]
    # Gossip and mingle are for clusters that elect leaders and share clocks; here they cost a second at every start.
    arguments += ["--loglevel", log_level, "--without-gossip", "--without-mingle"]
    celery_worker.safe_say = _say_nothing
    try:
        app.worker_main(arguments)
        if state.should_stop is None and state.should_terminate is None:
            raise WorkerFailed(f"The worker {name} ended by itself; its log says why.")
    finally:
        _give_back(app)


def _say_nothing(*_words: object) -> None:
    """Discard Celery's shutdown notice on standard output; the log has `worker_stopped` instead."""


def _give_back(app: Celery) -> None:
    """Release the jobs that the children were running when they exited; no attempt is charged."""
    database = Database(app.settings.sqlalchemy_url, pool_size=1, max_overflow=0)
    try:
        released = retry_while_database_down(
            lambda: release_runs(database, app.process_name), seconds=_GIVE_BACK_SECONDS
        )
        _log.info("worker_stopped", released=released)
    except DATABASE_ERRORS as error:  # the reaper takes the runs back
        _log.warning("runs_not_released", error=type(error).__name__)
    finally:
        database.close()


# They log the arrival and success of every message. Our own lines do so too, with the job's id; warnings and errors of
# these loggers are still logged.
_CELERYS_TALK = ("celery.worker.strategy", "celery.app.trace")


def _keep_our_logging(**_signal: object) -> None:
    """Prevent Celery from configuring logging, which worker/logs.py has done; it does not while this is connected."""
    for name in _CELERYS_TALK:
        logging.getLogger(name).setLevel(logging.WARNING)


def _show_alive(**_signal: object) -> None:
    """Record a sign of life: Celery sends a heartbeat only while its event loop runs and its broker responds."""
    show_alive()


def queue_names(settings: Settings) -> tuple[str, ...]:
    """All queues: short jobs, messages, media jobs for any machine, and media jobs for this spool's machine."""
    return ("default", REMINDERS, "media", f"media.{settings.spool_id}")


def queues_of(kinds: Sequence[str], settings: Settings) -> tuple[str, ...]:
    """The queues a worker of these kinds consumes: `media` stands for both media queues. Raises Misconfigured."""
    known = queue_names(settings)
    names = {name.strip() for name in kinds}
    if "media" in names:
        names.add(f"media.{settings.spool_id}")
    unknown = names - set(known)
    if unknown:
        raise Misconfigured(f"There is no queue {', '.join(sorted(unknown))}. The queues are {', '.join(known)}.")
    return tuple(name for name in known if name in names)


def celery_config(settings: Settings) -> dict[str, Any]:
    """Celery's settings, the same in every process."""
    return {
        **_TRUTH,
        **_DELIVERY,
        **_LIMITS,
        **_SHUTDOWN,
        **_LINK,
        **_OBSERVATION,
        "broker_use_ssl": settings.broker.tls_options,
        # Exactly these: a mistyped name must fail and not create a queue that nobody consumes.
        "task_queues": [queue(name) for name in queue_names(settings)],
        "task_create_missing_queues": False,
        "task_default_queue": "default",
        "task_default_exchange": EXCHANGE,
        "task_default_routing_key": "default",
        # A tick inserts no order while a job with the same unique key is live: two beats or a late one are harmless.
        "beat_schedule": timetable(settings),
        "beat_scheduler": "worker.processes.beat:Timetable",
        "beat_max_loop_interval": 5,
    }


def timetable(settings: Settings) -> dict[str, dict[str, Any]]:
    """The beat timetable: each entry inserts one order unless a job with the same unique key is live."""

    def every(seconds: int, *orders: Any) -> dict[str, dict[str, Any]]:
        return {
            order.kind: {
                # Read by worker/processes/beat.py: no message carries it.
                "task": order.kind,
                "schedule": seconds,
                "args": (order.args(),),
            }
            for order in orders
        }

    platform = {**every(60, PullPlatform()), **every(600, SweepPeople())} if settings.platform_database_url else {}
    return {
        **platform,
        **every(30, AdvanceLessons(), SendOverdue()),
        **every(60, SealUploads(settings.spool_id)),
        **every(settings.snapshot_interval, SnapshotChanged()),
        **every(3600, FillSeries(), PruneLedger(), SweepSpool(settings.spool_id)),
        **every(6 * 3600, SweepObjects()),
    }

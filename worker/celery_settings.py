"""Celery's settings and queues, the same in every process."""

from typing import Any

from worker.beat_timetable import timetable
from worker.processes.broker import EXCHANGE, queue
from worker.queue_names import queue_names
from worker.settings import Settings

# PostgreSQL records which jobs have run and how they ended.
_RESULTS: dict[str, Any] = {
    # Status and results belong to the ledger. Without this every task would also write to Redis, where an outage
    # blocks the worker and keys accumulate.
    "task_ignore_result": True,
    "result_backend": None,
    # Only JSON: unpickling a message would run any code that somebody with access to the broker put there.
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
    # Losing the broker connection does not stop running jobs: the lease in PostgreSQL decides who owns a job.
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    # We never use an ETA (a job that is not due is not published); this limits the damage of a mistake.
    "worker_eta_task_limit": 100,
}

# What a child may consume.
_LIMITS: dict[str, Any] = {
    # For batches of reminders; a job's message carries its own limits.
    "task_soft_time_limit": 270,
    "task_time_limit": 300,
    # A child is replaced after this many messages or this much memory (KiB), which bounds memory leaks in C libraries.
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

# What operators see in Flower, and logging.
_OBSERVATION: dict[str, Any] = {
    "worker_send_task_events": True,
    "task_send_sent_event": True,
    # Our own logging (worker/logs.py) stays in place.
    "worker_hijack_root_logger": False,
}


def celery_config(settings: Settings) -> dict[str, Any]:
    """Celery's settings, the same in every process."""
    return {
        **_RESULTS,
        **_DELIVERY,
        **_LIMITS,
        **_SHUTDOWN,
        **_LINK,
        **_OBSERVATION,
        "broker_transport_options": _transport_options(settings),
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


def _transport_options(settings: Settings) -> dict[str, Any]:
    options: dict[str, Any] = _LINK["broker_transport_options"]
    sentinels = settings.broker.sentinels
    if sentinels is None:
        return options
    # Flower needs these; our transport reads them from the address.
    tls = {} if sentinels.tls_options is None else {"sentinel_kwargs": {"ssl": True, **sentinels.tls_options}}
    return {**options, "master_name": sentinels.master_name, **tls}

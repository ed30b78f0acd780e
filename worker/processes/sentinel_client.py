"""Ask Sentinels for the master of Redis, both for Celery's transport and for health checks."""

from typing import Any

from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from worker.sentinels import Sentinels


def sentinel_client(sentinels: Sentinels, *, seconds: float, connect_seconds: float) -> Sentinel:
    """A client for these Sentinels; the first one that knows a healthy master decides.

    redis-py would ask each one four times, with pauses, so that a single Sentinel that is down would block its caller
    for half a minute.
    """
    options: dict[str, Any] = {
        "socket_timeout": seconds,
        "socket_connect_timeout": connect_seconds,
        "retry": Retry(NoBackoff(), 0),
        "password": sentinels.password,
        "ssl": sentinels.tls_options is not None,
        **(sentinels.tls_options or {}),
    }
    return Sentinel(sentinels.nodes, sentinel_kwargs=options)  # type: ignore[no-untyped-call]

"""Ask Sentinels for the master of Redis: the same for Celery's transport and for health checks."""

from typing import Any

from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from worker.sentinels import Sentinels


def sentinel_client(sentinels: Sentinels, *, seconds: float, connect_seconds: float) -> Sentinel:
    """A client of these Sentinels; the first that knows a healthy master is believed.

    redis-py would ask each one four times, with pauses, so that one Sentinel that is down would block its caller for
    half a minute.
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

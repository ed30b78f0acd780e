"""A plain client of the broker for health checks: used by the API and `astegni doctor`."""

from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from worker.broker_address import BrokerAddress
from worker.processes.sentinel_client import sentinel_client


def redis_client(address: BrokerAddress, *, seconds: float) -> redis.Redis:
    """A client that waits at most `seconds` for each response and does not retry; it uses Celery's address."""
    options: dict[str, Any] = {
        "username": address.user,
        "password": address.password,
        "db": int(address.database),
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "retry": Retry(NoBackoff(), 0),
    }
    if address.sentinels is not None:
        sentinels = sentinel_client(address.sentinels, seconds=seconds, connect_seconds=seconds)
        name = address.sentinels.master_name
        master: redis.Redis = sentinels.master_for(name, **options)  # type: ignore[no-untyped-call]
        return master
    if address.socket is not None:
        return redis.Redis(unix_socket_path=address.socket, **options)
    return redis.Redis(host=address.host, port=address.port, ssl=address.tls, **options, **(address.tls_options or {}))

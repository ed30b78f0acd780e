"""A plain client of the broker for health checks: used by the API and `astegni doctor`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from worker.broker_address import BrokerAddress
from worker.processes.sentinel_client import sentinel_client


@contextmanager
def redis_client(address: BrokerAddress, *, seconds: float) -> Iterator[redis.Redis]:
    """A context manager for a client that waits at most `seconds` for each response and does not retry.

    It uses Celery's address. With Sentinel, each Sentinel has `seconds` too.
    """
    tls = {"ssl": address.tls, **(address.tls_options or {})}
    options: dict[str, Any] = {
        "username": address.user,
        "password": address.password,
        "db": int(address.database),
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "retry": Retry(NoBackoff(), 0),
    }
    if address.sentinels is not None:
        with sentinel_client(address.sentinels, seconds=seconds, connect_seconds=seconds) as sentinels:
            name = address.sentinels.master_name
            with sentinels.master_for(name, **options, **tls) as master:
                yield master
    elif address.socket is not None:
        with redis.Redis(unix_socket_path=address.socket, **options) as client:
            yield client
    else:
        with redis.Redis(host=address.host, port=address.port, **options, **tls) as client:
            yield client

"""kombu's transport for Redis behind Sentinel, with the fixes of redis_transport.py."""

from typing import Any, ClassVar

from kombu.transport import redis as kombu_redis

from worker.processes.redis_transport import PatchedChannel
from worker.processes.sentinel_client import sentinel_client
from worker.sentinels import Sentinels


class SentinelChannel(PatchedChannel, kombu_redis.SentinelChannel):  # type: ignore[misc]  # kombu publishes no types
    """A channel that asks all Sentinels for the master at each new connection.

    kombu takes them from the URL and from transport options, with their passwords, and Flower shows both on a worker's
    page. They are set here instead, once for each process.
    """

    sentinels: ClassVar[Sentinels | None] = None

    def _sentinel_managed_pool(self, asynchronous: bool = False) -> Any:
        sentinels = self.sentinels
        if sentinels is None:
            raise ConnectionError("The Sentinels of this process are not set.")
        parameters = self._connparams(asynchronous)
        for of_the_url in ("host", "port"):
            del parameters[of_the_url]
        manager = sentinel_client(sentinels, seconds=self.socket_timeout, connect_seconds=self.socket_connect_timeout)
        # The attributes that kombu closes.
        if asynchronous:
            self._async_sentinel_manager = manager
        else:
            self._sentinel_manager = manager
        master = manager.master_for(sentinels.master_name, **parameters)  # type: ignore[no-untyped-call]
        return master.connection_pool


class SentinelTransport(kombu_redis.SentinelTransport):  # type: ignore[misc]  # kombu publishes no types
    """kombu's transport with our channels."""

    Channel = SentinelChannel

"""kombu's Redis transport with two fixes: a worker survives the loss of its broker while it runs jobs, and a command is
cheap.
"""

from typing import Any

from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import redis as kombu_redis


class RedisChannel(kombu_redis.Channel):  # type: ignore[misc]  # kombu publishes no types
    """A channel that reports clearly when its connection is closed, and keeps its client."""

    _kept_client: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        """The client that borrows a connection of the pool for each command.

        kombu 5.7 makes a new one for each command, which takes longer than to send it: a tenth of what a job costs
        the worker's main process. A lost connection means a new pool, and that a new client.
        """
        if asynchronous:
            return super()._create_client(asynchronous=True)
        if self._kept_client is None or self._kept_client.connection_pool is not self.pool:
            self._kept_client = super()._create_client()
        return self._kept_client

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        """Where to connect to; ConnectionError when there is nothing left to connect for.

        kombu 5.7 raises AttributeError then, which nobody expects. It comes to that when the connection breaks while
        one child works and another waits for work: the channel, closed a second time, wants to give messages back,
        and later the finished child's message wants to be acknowledged. Celery takes the error for the end of the
        worker and goes, with exit status 0. A ConnectionError is ignored by the one and logged by the other;
        what was not acknowledged comes back, and claim refuses it.
        """
        if self.connection is None or self.connection.client is None:
            raise ConnectionError("The connection of this channel was lost.")
        found: dict[str, Any] = super()._connparams(asynchronous=asynchronous)
        return found


class RedisTransport(kombu_redis.Transport):  # type: ignore[misc]  # kombu publishes no types
    """kombu's transport with our channels."""

    Channel = RedisChannel


def install_patched_transport() -> None:
    """Have this process reach every `redis://` and `rediss://` broker by our transport; before the first connection."""
    TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), f"{__name__}:{RedisTransport.__name__}"))

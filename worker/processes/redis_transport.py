"""kombu's Redis transport with two fixes: a busy worker survives the loss of its broker, and commands are cheap."""

from typing import Any

from kombu.transport import redis as kombu_redis


class PatchedChannel:
    """The base of channels that report clearly when their connection is closed, and keep their client."""

    connection: Any
    pool: Any
    _kept_client: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        """The client that borrows a connection of the pool for each command.

        kombu 5.7 creates a new one for each command, which takes longer than sending it: a tenth of a job's cost in the
        worker's main process. A lost connection means a new pool, and so a new client.
        """
        if asynchronous:
            return super()._create_client(asynchronous=True)  # type: ignore[misc]  # of kombu's channel
        if self._kept_client is None or self._kept_client.connection_pool is not self.pool:
            self._kept_client = super()._create_client()  # type: ignore[misc]
        return self._kept_client

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        """The connection's parameters; raises ConnectionError when the channel no longer has a connection.

        kombu 5.7 raises AttributeError then, which no caller handles. It happens when the connection breaks while one
        child works and another is idle: the channel, closed a second time, tries to return messages, and later the
        finished child's message is acknowledged. Celery takes the error for the end of the worker and exits with status
        0. A ConnectionError is ignored in the first case and logged in the second; unacknowledged messages are
        redelivered, and claiming rejects them.
        """
        if self.connection is None or self.connection.client is None:
            raise ConnectionError("The connection of this channel was lost.")
        parameters: dict[str, Any] = super()._connparams(asynchronous=asynchronous)  # type: ignore[misc]
        return parameters


class RedisChannel(PatchedChannel, kombu_redis.Channel):  # type: ignore[misc]  # kombu publishes no types
    """A channel for a single server."""


class RedisTransport(kombu_redis.Transport):  # type: ignore[misc]  # kombu publishes no types
    """kombu's transport with our channels."""

    Channel = RedisChannel

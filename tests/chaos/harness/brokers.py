"""The brokers under test: Valkey, or Debian's RabbitMQ, with the same faults."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import redis

from devstack.process import ChildProcess
from devstack.valkey import EmbeddedValkey
from tests.jobs.live.rabbitmq import RabbitMQ

# Every queue, whoever declared it. Messages that workers have in hand stay theirs.
_PURGE = "[rabbit_amqqueue:purge(Queue) || Queue <- rabbit_amqqueue:list()]."


class Broker(Protocol):
    """A server that can be frozen, ended and started again with what it had written."""

    @property
    def port(self) -> int:
        """Where it listens."""

    @property
    def is_running(self) -> bool:
        """Whether it was started and not stopped since."""

    @property
    def pid(self) -> int:
        """Its process, while it runs."""

    def url(self, number: int = 0) -> str:
        """The address of one of its databases, as REDIS_URL has it."""

    def start(self) -> None:
        """Start it and wait until it takes connections."""

    def stop(self) -> None:
        """End it."""

    def flush(self) -> None:
        """Have it forget what waits."""

    def freeze(self) -> None:
        """It takes connections and data and answers nothing."""

    def thaw(self) -> None:
        """Go on where it was frozen."""

    def close(self) -> None:
        """End all that belongs to it."""


class ValkeyBroker:
    """Valkey, which is asked to end and then writes what it has."""

    def __init__(self, root: Path) -> None:
        self._server = EmbeddedValkey(root / "valkey")
        self.start, self.url = self._server.start, self._server.url

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def is_running(self) -> bool:
        return self._server.process is not None

    @property
    def pid(self) -> int:
        return _running(self._server.process).pid

    def stop(self) -> None:
        self.thaw()
        self._server.stop()

    close = stop

    def flush(self) -> None:
        """Every message, binding and unacknowledged one is gone."""
        with redis.Redis.from_url(self.url(), socket_timeout=10) as client:
            client.flushall()

    def freeze(self) -> None:
        _signal(self._server.process, signal.SIGSTOP)

    def thaw(self) -> None:
        if self.is_running:
            _signal(self._server.process, signal.SIGCONT)


class RabbitBroker:
    """A node of RabbitMQ with quorum queues, which is killed and not asked to end."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._node = RabbitMQ(root / "rabbitmq")
        self.start, self.stop = self._node.start, self._node.kill
        self.close = self._node.close
        self.port = self._node.port

    @property
    def is_running(self) -> bool:
        return self._node.process is not None

    @property
    def pid(self) -> int:
        return _running(self._node.process).pid

    def url(self, number: int = 0) -> str:
        """There is one virtual host."""
        assert number == 0
        return self._node.url

    def flush(self) -> None:
        self._node.control("eval", _PURGE)

    def freeze(self) -> None:
        _signal(self._node.process, signal.SIGSTOP, group=True)

    def thaw(self) -> None:
        if self.is_running:
            _signal(self._node.process, signal.SIGCONT, group=True)


# By name: makes the broker, which is not yet started, with its data below a folder.
BROKERS: dict[str, Callable[[Path], Broker]] = {"valkey": ValkeyBroker, "rabbitmq": RabbitBroker}


def _signal(process: ChildProcess | None, number: signal.Signals, *, group: bool = False) -> None:
    """To the process, or to all that a script has started."""
    running = _running(process)
    if group:
        os.killpg(running.pid, number)
    else:
        running.signal(number)


def _running(process: ChildProcess | None) -> ChildProcess:
    assert process is not None, "it does not run"
    return process

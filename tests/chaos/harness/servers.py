"""The servers, each behind a proxy: they can be frozen, restarted and cut off while their addresses stay."""

import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import psycopg

from devstack.emulator.credentials import Credentials
from devstack.emulator.embedded import EmbeddedB2
from devstack.postgres import EmbeddedPostgres
from devstack.process import ChildProcess
from tests.chaos.harness.brokers import BROKERS
from tests.chaos.harness.proxy import Proxy

# What every request of B2's clients holds: in front of it goes the header that asks the emulator to fail.
_HEADER = b"\r\nUser-Agent: "


class Servers:
    """PostgreSQL (durable: a restart may lose nothing), a broker and the B2 emulator below `root`."""

    def __init__(self, root: Path, *, storage: bool = True, broker: str = "valkey") -> None:
        self.postgres = EmbeddedPostgres(root / "postgres")
        self.broker = BROKERS[broker](root)
        self.b2 = EmbeddedB2(root / "b2") if storage else None
        self._running = ExitStack()

    def __enter__(self) -> Self:
        enter = self._running.enter_context
        try:
            enter(self.postgres)
            self._running.callback(self.broker.close)
            self.broker.start()
            self.database_line = enter(Proxy(self.postgres.port))
            self.broker_line = enter(Proxy(self.broker.port))
            if self.b2 is not None:
                enter(self.b2)
                self.storage_line = enter(Proxy(_port(self.b2.credentials.realm)))
        except BaseException:
            self._running.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def database_url(self, name: str) -> str:
        """The address of a database through the proxy."""
        return _through(self.postgres.url(name), self.database_line)

    def redis_url(self, number: int = 0, line: Proxy | None = None) -> str:
        """The address of a logical database through the proxy, or through another one."""
        return _through(self.broker.url(number), line or self.broker_line)

    @property
    def storage(self) -> Credentials:
        """How to reach the emulator through the proxy."""
        assert self.b2 is not None
        credentials = self.b2.credentials
        realm = f"http://127.0.0.1:{self.storage_line.port}"
        return Credentials(realm, credentials.key_id, credentials.application_key, credentials.bucket)

    def start_broker(self) -> None:
        """Bring it back."""
        self.broker.start()
        self.broker_line.target = self.broker.port

    def stop_database(self, *, crash: bool = False) -> None:
        """End it, in order or (`crash`) with everything left as it lies; `start_database` brings it back."""
        if crash:
            _process(self.postgres.process).signal(signal.SIGQUIT)
        self.postgres.stop()

    def start_database(self) -> None:
        """Bring it back."""
        self.postgres.start()
        self.database_line.target = self.postgres.port

    def terminate_backends(self) -> int:
        """End every connection that clients have; return how many."""
        with psycopg.connect(self.postgres.url("postgres"), autocommit=True) as connection:
            ended = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            ).fetchone()
        return int(ended[0]) if ended else 0

    def restore(self) -> None:
        """Start and thaw whatever a test that failed has left stopped or frozen."""
        self.broker.thaw()
        if self.postgres.process is None:
            self.start_database()
        if not self.broker.is_running:
            self.start_broker()
        if self.b2 is not None and self.b2.process is None:
            self.start_storage()

    def restart_storage(self) -> None:
        """The emulator goes and comes back with what it had stored."""
        self.stop_storage()
        self.start_storage()

    def stop_storage(self) -> None:
        """End the emulator; `start_storage` brings it back with what it had stored."""
        assert self.b2 is not None
        self.b2.stop()

    def start_storage(self) -> None:
        """Bring it back."""
        assert self.b2 is not None
        self.b2.start()
        self.storage_line.target = _port(self.b2.credentials.realm)

    def trouble_storage(self, mode: str | None) -> None:
        """Ask for B2's own test mode with every request (`fail_some_uploads`, …); None: no more."""
        header = None if mode is None else b"\r\nX-Bz-Test-Mode: " + mode.encode()
        self.storage_line.rewrite = None if header is None else (_HEADER, header + _HEADER)


def _through(url: str, line: Proxy) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{line.port}"))


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def _process(process: ChildProcess | None) -> ChildProcess:
    assert process is not None, "it does not run"
    return process

"""Valkey from a wheel, configured as a broker: an append-only file that is synced every second."""

import secrets
from pathlib import Path
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from devstack.ports import free_port, retry_while_port_taken
from devstack.process import ChildProcess, wait_until
from devstack.programs import valkey_server

_READY_TIMEOUT = 30.0  # measured: 0.03 s; it accepts commands only when its append-only file is read


class EmbeddedValkey:
    """A Valkey server on a free port of 127.0.0.1 with its data, settings and log under `root`.

    Existing data is reused; the password is new at every start.
    """

    def __init__(self, root: Path, *, log: Path | None = None) -> None:
        self.root = root.absolute()
        self.log = log or self.root / "valkey.log"
        self.process: ChildProcess | None = None
        self.port = 0
        self._password = secrets.token_hex(32)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def url(self, db: int = 0) -> str:
        """`redis://` URL of one of its 16 logical databases, with the password."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/{db}"

    def start(self) -> None:
        """Start the server and wait until it accepts commands; raises StartupFailed."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.process = retry_while_port_taken(lambda: self._serve(free_port()))

    def stop(self, timeout: float = 10.0) -> None:
        """Ask it to end, which writes its data, and wait; idempotent."""
        if self.process is not None:
            self.process.stop(timeout)
            self.process = None

    def _serve(self, port: int) -> ChildProcess:
        # The password is in a file that only this user can read: every user can see arguments.
        settings = self.root / "valkey.conf"
        settings.unlink(missing_ok=True)
        settings.touch(mode=0o600)
        settings.write_text(self._configuration(port))
        server = ChildProcess("valkey", [valkey_server(), settings], self.log, cwd=self.root, env={})
        self.port = port
        try:
            wait_until(self._is_ready, server, _READY_TIMEOUT)
        except BaseException:
            server.kill()
            raise
        return server

    def _configuration(self, port: int) -> str:
        # No `dir` line: it is started there, so a path with spaces or quotes needs no escaping.
        return "\n".join(
            [
                "bind 127.0.0.1",
                f"port {port}",
                f"requirepass {self._password}",
                "daemonize no",
                "appendonly yes",
                "appendfsync everysec",
                # A broker must reject a write rather than evict a message.
                "maxmemory-policy noeviction",
                # No snapshots in addition to the append-only file.
                'save ""',
                "",
            ]
        )

    def _is_ready(self) -> bool:
        # No retries: the client would wait a second before each.
        once = Retry(NoBackoff(), 0)
        with redis.Redis.from_url(self.url(), socket_connect_timeout=2, socket_timeout=2, retry=once) as client:
            try:
                client.ping()
            except redis.RedisError:  # refused, still loading, or a server of another process with another password
                return False
        return True

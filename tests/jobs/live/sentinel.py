"""Debian's Redis as a master with a replica, and three Sentinels that watch them, on free ports of 127.0.0.1."""

import shutil
from functools import partial
from pathlib import Path

import pytest
import redis

from devstack.ports import free_port
from devstack.process import ChildProcess, wait_until
from tests.certificate import make_certificate
from tests.waiting import TIMEOUT

PASSWORD, SENTINEL_PASSWORD, MASTER_NAME = "hush;-of@redis", "hush-of-sentinels", "astegni-broker"
_SERVER = f"""bind 127.0.0.1
save ""
appendonly yes
maxmemory-policy noeviction
requirepass "{PASSWORD}"
masterauth "{PASSWORD}"
repl-diskless-sync-delay 0
"""
# A master that has not answered for a second is replaced when two of three Sentinels agree.
_SENTINEL = """bind 127.0.0.1
sentinel monitor {name} 127.0.0.1 {master} 2
sentinel auth-pass {name} "{password}"
sentinel down-after-milliseconds {name} 1000
sentinel failover-timeout {name} 5000
requirepass {own}
sentinel sentinel-pass {own}
"""
# Also among themselves.
_TLS = """port 0
tls-port {port}
tls-cert-file {certificate}
tls-key-file {key}
tls-ca-cert-file {certificate}
tls-auth-clients no
tls-replication yes
"""


class RedisWithSentinels:
    """Two servers and three Sentinels in `folder`; with `tls`, nothing but TLS, by the certificate `ca_file`."""

    def __init__(self, folder: Path, *, tls: bool = False) -> None:
        if shutil.which("redis-server") is None or shutil.which("redis-sentinel") is None:
            pytest.skip(
                "Redis Sentinel was NOT TRIED: it is not installed (apt-get install redis-server redis-sentinel)"
            )
        folder.mkdir()
        self._folder = folder
        self.ca_file: Path | None = None
        self._key: Path | None = None
        if tls:
            self.ca_file, self._key = make_certificate(folder)
        self._processes: dict[int, ChildProcess] = {}
        self.master, self.replica = free_port(), free_port()
        self.sentinels = [free_port() for _number in range(3)]

    @property
    def url(self) -> str:
        """Its address in kombu's form: login at the first alone, and a Sentinel first that is not there."""
        login = PASSWORD.replace("@", "%40")
        scheme = "sentinel" if self.ca_file is None else "sentinels"
        others = "".join(f";{scheme}://127.0.0.1:{port}" for port in self.sentinels)
        return f"{scheme}://:{login}@127.0.0.1:{free_port()}/3{others}"

    def start(self) -> None:
        """Start all, and wait until the Sentinels know one another and the replica."""
        self._start(self.master, "redis-server", _SERVER)
        self._start(self.replica, "redis-server", f"{_SERVER}replicaof 127.0.0.1 {self.master}\n")
        lines = _SENTINEL.format(name=MASTER_NAME, master=self.master, password=PASSWORD, own=SENTINEL_PASSWORD)
        for port in self.sentinels:
            self._start(port, "redis-sentinel", lines)
        for port in self.sentinels:
            wait_until(partial(self._is_complete, port), self._processes[port], TIMEOUT)

    def kill_master(self) -> None:
        """End the master without warning, and wait until the replica is the master."""
        self._processes.pop(self.master).kill()
        wait_until(self._is_promoted, self._processes[self.replica], TIMEOUT)
        self.master, self.replica = self.replica, self.master

    def start_replica(self) -> None:
        """Start again what was killed, as it was configured: as a master, which Sentinel makes a replica."""
        self._start(self.replica, "redis-server", _SERVER)

    def client(self, port: int) -> redis.Redis:
        """A client of one server."""
        password = SENTINEL_PASSWORD if port in self.sentinels else PASSWORD
        ca_file = None if self.ca_file is None else str(self.ca_file)
        return redis.Redis("127.0.0.1", port, password=password, ssl=ca_file is not None, ssl_ca_certs=ca_file)

    def close(self) -> None:
        """End all."""
        for process in self._processes.values():
            process.kill()

    def _start(self, port: int, program: str, lines: str) -> None:
        folder = self._folder / str(port)
        folder.mkdir(exist_ok=True)
        configuration = folder / "redis.conf"
        tls = _TLS.format(port=port, certificate=self.ca_file, key=self._key)
        listening = f"port {port}\n" if self.ca_file is None else tls
        configuration.write_text(f"{listening}dir {folder}\n{lines}")
        process = ChildProcess(program, [program, str(configuration)], folder / "log", env={"PATH": "/usr/bin"})
        self._processes[port] = process
        wait_until(partial(self._answers, port), process, TIMEOUT)

    def _answers(self, port: int) -> bool:
        with self.client(port) as client:
            try:
                return bool(client.ping())
            except (redis.ConnectionError, redis.TimeoutError):
                return False

    def _is_complete(self, port: int) -> bool:
        with self.client(port) as client:
            state = client.sentinel_master(MASTER_NAME)
        return bool(state["num-other-sentinels"] == len(self.sentinels) - 1 and state["num-slaves"] == 1)

    def _is_promoted(self) -> bool:
        with self.client(self.replica) as client:
            return bool(client.info("replication")["role"] == "master")

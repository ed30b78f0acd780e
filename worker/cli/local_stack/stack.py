"""All that `astegni up` runs: servers that the environment does not name, the migration, our processes."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from devstack.directories import data_directory
from devstack.ports import retry_while_port_taken
from devstack.process import ChildProcess
from devstack.signals import interrupted_by_signals
from devstack.supervisor import Service, StartProcess, start_services, stop_services
from worker.cli.local_stack.places import with_directories, with_ports
from worker.cli.local_stack.servers import Servers, start_servers
from worker.cli.local_stack.services import fork_astegni, fork_server, migrate_database, reachable, services_for
from worker.errors import AstegniError
from worker.logs import get_logger
from worker.settings import Settings

_log = get_logger(__name__)


class ServerLost(AstegniError):
    """An embedded server exited. It is not restarted, since the services have lost their connections and broker."""

    code, title = "server-lost", "Embedded server ended"


class Stack:
    """The whole product on one machine, on ports that are free unless the settings choose them.

    `data` is the directory of all data and logs; without it a temporary one is used. `on_step` receives a sentence
    before each start-up step. Start it from the main thread: its processes end with the thread that started them.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        data: Path | None = None,
        operator_token: Callable[[], str],
        on_step: Callable[[str], None] = lambda _step: None,
    ) -> None:
        self.settings = settings
        self.services: list[Service] = []
        self._servers: Servers | None = None
        # Processes whose end is the end of the stack.
        self._essential: list[ChildProcess] = []
        self._data = data
        self._operator_token = operator_token
        self._on_step = on_step
        self._running = ExitStack()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything and wait until it is ready; raises StartupFailed, and then nothing is left running.

        Afterwards `settings` are those of the processes: they name every server and port.
        """
        try:
            directory = self._running.enter_context(data_directory(self._data))
            self.settings = with_directories(self.settings, directory)
            # The fork server imports its modules while the other servers start.
            forks = self._running.enter_context(fork_server(directory))
            start_process = fork_astegni(forks)
            self._on_step(
                "Starting PostgreSQL, Valkey, the B2 emulator and a mailbox, where no setting names another …"
            )
            self._servers = start_servers(self.settings, directory, self._running)
            self.settings = self._servers.settings
            self._essential = [forks.process, *self._servers.processes]
            self._on_step("Migrating the database …")
            migrate_database(self.settings, directory, start_process)
            self._on_step("Starting API, workers, beat and Flower …")
            retry_while_port_taken(lambda: self._start_services(directory, start_process))
        except BaseException:
            # Also after Ctrl-C: the servers would otherwise keep running.
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything in reverse order; idempotent."""
        stop_services(self.services)
        self.services = []
        self._servers = None
        self._essential = []
        self._running.close()

    def facts(self) -> dict[str, Any]:
        """What a client needs, as `astegni up --json` prints it. It holds secrets."""
        settings = self.settings
        key = settings.backblaze_application_key
        mailbox = self._servers.mailbox if self._servers else None
        return {
            "api": _url(settings.api_host, settings.api_port),
            "flower": _url(settings.flower_host, settings.flower_port),
            "b2": {
                "realm": settings.backblaze_realm,
                "key_id": settings.backblaze_key_id,
                "application_key": key.get_secret_value() if key else None,
                "bucket": settings.backblaze_bucket_name,
            },
            "database_url": settings.database_url,
            "redis_url": settings.redis_url,
            "mailbox": asdict(mailbox) if mailbox else None,
            "operator_token": self._operator_token(),
        }

    def check(self) -> None:
        """Check every process once: restart services that have ended; raises ServerLost when a server has."""
        for server in self._essential:
            if server.exit_code is not None:
                raise ServerLost(
                    f"{server.name} ended with {server.exit_code}. {server.log} ends with:\n{server.log_tail()}"
                )
        for service in self.services:
            service.check()

    def watch(self, interval: float = 0.5) -> None:
        """Check the processes repeatedly until interrupted."""
        while True:
            self.check()
            time.sleep(interval)

    def _start_services(self, directory: Path, start_process: StartProcess) -> None:
        # Ports that turned out to be taken are released before others are tried.
        with ExitStack() as attempt:
            settings = with_ports(self.settings, directory / "ports", attempt)
            services = services_for(settings, directory, start_process)
            start_services(services)
            self._running.enter_context(attempt.pop_all())
        self.settings, self.services = settings, services


def run_stack(stack: Stack, ready: Callable[[Stack], None]) -> None:
    """Start `stack`, call `ready`, keep it running in the foreground until SIGTERM, SIGINT or SIGHUP; then stop it."""
    with interrupted_by_signals():
        try:
            with stack:
                ready(stack)
                stack.watch()
        except KeyboardInterrupt:
            _log.info("stack_stopped")


def _url(host: str, port: int) -> str:
    host = reachable(host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

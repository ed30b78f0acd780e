"""PostgreSQL from a wheel. `initdb` and `postgres` are run directly: the wheel's own starter listens on a socket
only, gives up after 10 s, adds users to the system and opens folders that are not ours.
"""

import secrets
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import psycopg

from devstack.account import LentDirectory, SystemAccount, lend, unprivileged_account
from devstack.databases import connect, create_database, database_exists, drop_database
from devstack.initdb import ENVIRONMENT, SUPERUSER, make_data_directory
from devstack.ports import free_port, retry_while_port_taken
from devstack.process import ChildProcess, wait_until
from devstack.programs import copy_postgres, postgres_programs
from devstack.scratch import scratch_directory

_ADMIN_DATABASE = "postgres"
_READY_TIMEOUT = 60.0  # measured: 0.1 s; recovery of a big data directory takes longer
_QUIT_TIMEOUT = 6.0  # after SIGQUIT PostgreSQL gives its own children 5 s

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Rows and values stay out of its log: DETAIL and the statement would repeat them.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
# What a test never needs: to survive a power cut, replicas, and a vacuum in the template just when it is cloned.
_FAST_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
    "max_wal_senders": "0",
    "autovacuum": "off",
}


class EmbeddedPostgres:
    """A PostgreSQL server on a free port of 127.0.0.1 with its data, password and log under `root`.

    What is already there is used again. `fast` gives up durability, for tests. Started by root, the server runs as
    the owner of its data, at first `nobody`, even where that user could not go alone.
    """

    def __init__(self, root: Path, *, fast: bool = False, log: Path | None = None) -> None:
        self.root = root.absolute()
        self.log = log or self.root / "postgres.log"
        self.process: ChildProcess | None = None
        self.port = 0
        self._settings = {**_SETTINGS, **(_FAST_SETTINGS if fast else {})}
        self._data = self.root / "data"
        self._password_file = self.root / "password"
        self._lent = ExitStack()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def url(self, database: str = "astegni") -> str:
        """`postgresql://` URL of one of its databases, with the password of the superuser."""
        return f"postgresql://{SUPERUSER}:{self._password_file.read_text()}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create a database, as a clone of `template` when given."""
        with connect(self.url(_ADMIN_DATABASE)) as admin:
            create_database(admin, name, template)

    def drop_database(self, name: str) -> None:
        """Drop a database if it is there, with the connections it still has."""
        with connect(self.url(_ADMIN_DATABASE)) as admin:
            drop_database(admin, name)

    def start(self) -> None:
        """Start the server, wait until it answers and make the database `astegni`; raises StartupFailed."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        account = unprivileged_account(self._data)
        try:
            programs = self._programs(account)
            if not self._data.exists():
                self._make_data(programs, account)
            with lend(account, self._data) as data:
                self.process = retry_while_port_taken(lambda: self._serve(programs, account, data, free_port()))
            with connect(self.url(_ADMIN_DATABASE)) as admin:
                if not database_exists(admin, "astegni"):
                    create_database(admin, "astegni")
        except BaseException:
            self.stop()
            raise

    def stop(self, timeout: float = 10.0) -> None:
        """Break its connections and shut it down cleanly; after `timeout` seconds at once. Again is harmless."""
        if self.process is not None:
            self.process.signal(signal.SIGINT)
            if not self.process.wait(timeout):
                self.process.signal(signal.SIGQUIT)
                self.process.wait(_QUIT_TIMEOUT)
            self.process.kill()
            self.process = None
        self._lent.close()

    def _programs(self, account: SystemAccount | None) -> Path:
        """The folder of the programs: the wheel's, or a copy when `account` cannot go there (/root/.venv)."""
        programs = postgres_programs()
        if account is not None and not account.reaches(programs / "postgres"):
            programs = copy_postgres(self._lent.enter_context(scratch_directory()))
        return programs

    def _make_data(self, programs: Path, account: SystemAccount | None) -> None:
        password = secrets.token_hex(32)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(password)
        make_data_directory(self._data, programs / "initdb", password, account, self.log)

    def _serve(self, programs: Path, account: SystemAccount | None, data: LentDirectory, port: int) -> ChildProcess:
        settings = [f"--{name.replace('_', '-')}={value}" for name, value in self._settings.items()]
        server = ChildProcess(
            "postgres",
            [programs / "postgres", "-D", data.path, "-p", str(port), *settings],
            self.log,
            env=ENVIRONMENT,
            account=account,
            cwd=Path("/"),
            pass_fds=data.descriptors,
            # SIGQUIT and not SIGKILL: it takes its own children along and gives its shared memory back.
            death_signal=signal.SIGQUIT,
        )
        self.port = port
        try:
            wait_until(self._answers, server, _READY_TIMEOUT)
        except BaseException:
            server.stop(_QUIT_TIMEOUT, signal.SIGQUIT)
            raise
        return server

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(_ADMIN_DATABASE), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

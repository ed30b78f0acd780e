"""PostgreSQL from a wheel, and the databases of a server, embedded or not.

`initdb` and `postgres` are run directly: the wheel's own starter listens on a Unix socket only, gives up after 10 s,
adds users to the system and changes permissions of directories that are not its own.
"""

import secrets
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import LiteralString, Self

import psycopg
from psycopg import sql

from devstack.account import InheritedDirectory, SystemAccount, inherit_directory, unprivileged_account
from devstack.directories import scratch_directory
from devstack.initdb import ENVIRONMENT, SUPERUSER, make_data_directory
from devstack.ports import free_port, retry_while_port_taken
from devstack.process import ChildProcess, wait_until
from devstack.programs import copy_postgres, postgres_programs

_ADMIN_DATABASE = "postgres"
_READY_TIMEOUT = 60.0  # measured: 0.1 s; crash recovery of a large data directory takes longer
_QUIT_TIMEOUT = 6.0  # after SIGQUIT PostgreSQL gives its own children 5 s

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # DETAIL and the statement would put values of rows into the log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
# Tests need neither durability nor replicas, and a vacuum in a template would block cloning it.
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

    An existing data directory is reused. `fast` gives up durability, for tests. When root starts it, it runs as the
    owner of its data (`nobody` for a new directory), even below directories that are closed to that user.
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
        """`postgresql://` URL of one of its databases, with the superuser's password."""
        return f"postgresql://{SUPERUSER}:{self._password_file.read_text()}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create a database, as a clone of `template` when given."""
        with connect(self.url(_ADMIN_DATABASE)) as admin:
            create_database(admin, name, template)

    def drop_database(self, name: str) -> None:
        """Drop a database if it exists, and terminate its connections."""
        with connect(self.url(_ADMIN_DATABASE)) as admin:
            drop_database(admin, name)

    def start(self) -> None:
        """Start the server, wait until it is ready and create the database `astegni`; raises StartupFailed."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        account = unprivileged_account(self._data)
        try:
            programs = self._programs(account)
            if not self._data.exists():
                self._make_data(programs, account)
            with inherit_directory(account, self._data) as data:
                self.process = retry_while_port_taken(lambda: self._serve(programs, account, data, free_port()))
            with connect(self.url(_ADMIN_DATABASE)) as admin:
                if not database_exists(admin, "astegni"):
                    create_database(admin, "astegni")
        except BaseException:
            self.stop()
            raise

    def stop(self, timeout: float = 10.0) -> None:
        """Terminate its connections and shut it down cleanly, or immediately after `timeout` seconds; idempotent."""
        if self.process is not None:
            self.process.signal(signal.SIGINT)
            if not self.process.wait(timeout):
                self.process.signal(signal.SIGQUIT)
                self.process.wait(_QUIT_TIMEOUT)
            self.process.kill()
            self.process = None
        self._lent.close()

    def _programs(self, account: SystemAccount | None) -> Path:
        """The directory of the programs: the wheel's, or a copy when `account` has no access to it (/root/.venv)."""
        programs = postgres_programs()
        if account is not None and not account.reaches(programs / "postgres"):
            programs = copy_postgres(self._lent.enter_context(scratch_directory()))
        return programs

    def _make_data(self, programs: Path, account: SystemAccount | None) -> None:
        password = secrets.token_hex(32)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(password)
        make_data_directory(self._data, programs / "initdb", password, account, self.log)

    def _serve(
        self, programs: Path, account: SystemAccount | None, data: InheritedDirectory, port: int
    ) -> ChildProcess:
        settings = [f"--{name.replace('_', '-')}={value}" for name, value in self._settings.items()]
        server = ChildProcess(
            "postgres",
            [programs / "postgres", "-D", data.path, "-p", str(port), *settings],
            self.log,
            env=ENVIRONMENT,
            account=account,
            cwd=Path("/"),
            pass_fds=data.descriptors,
            # SIGQUIT, not SIGKILL: it ends its own children and releases its shared memory.
            death_signal=signal.SIGQUIT,
        )
        self.port = port
        try:
            wait_until(self._is_ready, server, _READY_TIMEOUT)
        except BaseException:
            server.stop(_QUIT_TIMEOUT, signal.SIGQUIT)
            raise
        return server

    def _is_ready(self) -> bool:
        try:
            psycopg.connect(self.url(_ADMIN_DATABASE), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def connect(admin_url: str) -> psycopg.Connection:
    """A superuser's connection for the functions below. Opening one costs half as much as one of their statements."""
    return psycopg.connect(admin_url, autocommit=True)


def create_database(admin: psycopg.Connection, name: str, template: str | None = None) -> None:
    """Create a database, as a clone of `template` if given (which no other session may be connected to).

    A clone is copied file by file: for a small template this is faster than the default, which logs every page.
    """
    if template is None:
        _run(admin, "CREATE DATABASE {}", name)
    else:
        _run(admin, "CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template)


def drop_database(admin: psycopg.Connection, name: str) -> None:
    """Drop a database if it exists, and terminate its connections."""
    _run(admin, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def database_exists(admin: psycopg.Connection, name: str) -> bool:
    """Whether the server has a database of that name."""
    return admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _run(admin: psycopg.Connection, statement: LiteralString, *names: str) -> None:
    admin.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

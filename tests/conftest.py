"""The real servers that tests use: PostgreSQL, Valkey and the B2 emulator, started once per test process.

Ask for `database_url`, `database`, `redis_url`, `b2` or `settings`; what no test asks for is never started.
"""

import gc
import itertools
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import hypothesis
import psutil
import psycopg
import pytest
import redis
import structlog
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from sqlalchemy import make_url

from devstack.directories import scratch_directory
from devstack.emulator.credentials import Credentials
from devstack.emulator.embedded import EmbeddedB2
from devstack.ports import free_port, retry_while_port_taken
from devstack.postgres import EmbeddedPostgres, connect, create_database, drop_database
from devstack.process import ChildProcess, wait_until
from devstack.valkey import EmbeddedValkey
from tests.buckets import with_new_bucket
from tests.certificate import make_certificate
from tests.empty_databases import EmptyDatabase
from tests.file_order import ByFile, line_of, niceness_of, order_of
from tests.ledger_intervals import shorter_intervals
from tests.memory import memory_directory
from tests.statements import run_statement
from tests.waiting import TIMEOUT
from worker.access.callers import UserCaller
from worker.canvases.engine import EngineMissing, load_engine
from worker.cli.local_stack.environment import environment_for
from worker.database import Database
from worker.migrate import migrate
from worker.platform.connection import PlatformConnection
from worker.platform.grants import grants
from worker.platform.people import PlatformPeople
from worker.settings import Settings

if TYPE_CHECKING:
    # It imports Celery and every task: 0.9 s of CPU in each process of a run, also in the one that hands out the files.
    from tests.forking.forked_process import ForkServer

# How long an example takes says something about the machine, not about the code.
hypothesis.settings.register_profile("no-deadline", deadline=None)
hypothesis.settings.load_profile("no-deadline")
# `make quick` tries a few examples of each property, `make test` a hundred.
hypothesis.settings.register_profile("quick", deadline=None, max_examples=20)

# Where a test configures no logs: structlog's own format prints the local variables of each frame of a crash, which
# takes seconds of CPU for an application.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

# Types of fixtures that are functions.
Sql = Callable[..., list[Any]]
MakeSettings = Callable[..., Settings]
SmallDisk = Callable[..., Path]

# A developer's shell may name real servers; no test may touch them. Another ffmpeg is as good as ours.
for _name in list(os.environ):
    if _name.lower() in Settings.model_fields and _name.upper() not in {"FFMPEG_PATH", "FFPROBE_PATH"}:
        del os.environ[_name]

_PROGRAMS = {name.lower(): os.environ[name] for name in ("FFMPEG_PATH", "FFPROBE_PATH") if name in os.environ}

# Compiled modules are kept: a run starts hundreds of processes, and each would compile all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


_TESTS = Path(__file__).parent


def _is_quick(config: pytest.Config) -> bool:
    return bool(config.option.markexpr == "not slow")


def pytest_configure(config: pytest.Config) -> None:
    """Fewer examples where the properties are not the point; real-time tests come before others on a busy core."""
    if _is_quick(config):
        hypothesis.settings.load_profile("quick")
    elif process := os.environ.get("PYTEST_XDIST_WORKER"):
        os.nice(niceness_of(process))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep modules and tests out of garbage collection: they stay until the end, and each pass takes 0.3 s for them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`make quick` does not read what it leaves out: to import it takes as long as to import the rest."""
    return True if _is_quick(config) and line_of(collection_path) is not None else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow and put it first; skip `drawing` where there is no drawing engine, and say why."""
    order = order_of({item.path for item in items})
    for item in items:
        if item.path in order:
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: order.get(item.path, (len(order), 0)))
    drawing = [item for item in items if item.get_closest_marker("drawing")]
    if drawing:
        try:
            load_engine()
        except EngineMissing as missing:
            for item in drawing:
                item.add_marker(pytest.mark.skip(reason=missing.detail))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Used with `--dist loadfile`, which `make` asks for."""
    return ByFile(config, log)


@dataclass(frozen=True)
class PostgresServer:
    """A PostgreSQL server where tests may make databases; `admin_url` is a superuser's."""

    admin_url: str
    # Kept open: connecting costs as much as creating or dropping a database.
    _admin: psycopg.Connection

    def url(self, database: str) -> str:
        """`postgresql://` URL of one of its databases."""
        return make_url(self.admin_url).set(database=database).render_as_string(hide_password=False)

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create a database, as a clone of `template` when given."""
        create_database(self._admin, name, template)

    def drop_database(self, name: str) -> None:
        """Drop a database if it is there, with the connections it still has."""
        drop_database(self._admin, name)


@pytest.fixture(scope="session")
def chromium_program() -> str:
    """The path of Debian's `chromium`. Skips where it is not installed."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("NOT TRIED IN A BROWSER: `chromium` is not installed (apt-get install chromium)")
    return program


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The server of TEST_DATABASE_URL (a superuser's URL, e.g. of PostgreSQL 15), else an embedded one."""
    external = os.environ.get("TEST_DATABASE_URL")
    if external:
        with connect(external) as admin:
            yield PostgresServer(external, admin)
        return
    with (
        scratch_directory(memory_directory()) as root,
        EmbeddedPostgres(root / "postgres", fast=True) as server,
        connect(server.url("postgres")) as admin,
    ):
        yield PostgresServer(server.url("postgres"), admin)


@pytest.fixture(scope="session")
def template_database(postgres: PostgresServer) -> Iterator[str]:
    """Name of a database with our tables and no rows. Never connect to it: it could not be cloned then."""
    name = f"astegni_template_{secrets.token_hex(6)}"
    postgres.create_database(name)
    migrate(Settings(database_url=postgres.url(name)).sqlalchemy_url)
    yield name
    postgres.drop_database(name)


class EmptyDatabases:
    """Databases with our tables and no rows, for one test after the other; at most one waits for the next test."""

    def __init__(self, server: PostgresServer, template: str) -> None:
        self._server = server
        self._template = template
        self._waiting: EmptyDatabase | None = None

    def take(self) -> EmptyDatabase:
        """The database that the last test gave back, or a new clone."""
        database, self._waiting = self._waiting or self._clone(), None
        database.begin_test()
        return database

    def give_back(self, database: EmptyDatabase) -> None:
        """Empty it for the next test, or drop it if that may not use it."""
        if self._waiting is None and database.reset():
            self._waiting = database
        else:
            self._drop(database)

    def close(self) -> None:
        if self._waiting is not None:
            self._drop(self._waiting)

    def _clone(self) -> EmptyDatabase:
        name = f"astegni_test_{secrets.token_hex(6)}"
        self._server.create_database(name, self._template)
        return EmptyDatabase(self._server.url(name), name)

    def _drop(self, database: EmptyDatabase) -> None:
        database.close()
        self._server.drop_database(database.name)


@pytest.fixture(scope="session")
def empty_databases(postgres: PostgresServer, template_database: str) -> Iterator[EmptyDatabases]:
    """Where `database_url` comes from."""
    databases = EmptyDatabases(postgres, template_database)
    yield databases
    databases.close()


@pytest.fixture
def empty_database(empty_databases: EmptyDatabases) -> Iterator[EmptyDatabase]:
    """A database that no other test uses meanwhile, with our tables and no rows."""
    database = empty_databases.take()
    yield database
    empty_databases.give_back(database)


@pytest.fixture
def database_url(empty_database: EmptyDatabase) -> str:
    """`postgresql://` URL of a database of the test's own, with our tables and no rows."""
    return empty_database.url


@pytest.fixture
def empty_database_url(postgres: PostgresServer) -> Iterator[str]:
    """`postgresql://` URL of a database of the test's own without any table."""
    name = f"astegni_empty_{secrets.token_hex(6)}"
    postgres.create_database(name)
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture
def database(empty_database: EmptyDatabase) -> Database:
    """Transactions on the test's own database."""
    return empty_database.database


@pytest.fixture
def sql(database: Database) -> Sql:
    """`sql("SELECT …", **values)`: one statement, committed; its rows if it gives any."""

    def execute(statement: str, **values: Any) -> list[Any]:
        return run_statement(database, statement, **values)

    return execute


@pytest.fixture(scope="session")
def valkey() -> Iterator[EmbeddedValkey]:
    """The broker of this test process."""
    with scratch_directory() as root, EmbeddedValkey(root) as server:
        yield server


_logical_databases = itertools.count()


@pytest.fixture
def redis_url(valkey: EmbeddedValkey) -> str:
    """URL of an empty logical database; another one than the last test's, whose threads may still write."""
    url = valkey.url(next(_logical_databases) % 16)
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture(scope="session")
def emulator() -> Iterator[EmbeddedB2]:
    """The B2 emulator of this test process."""
    with scratch_directory() as root, EmbeddedB2(root / "b2", bucket="astegni-media") as server:
        yield server


@pytest.fixture
def b2(emulator: EmbeddedB2) -> Credentials:
    """How to reach the emulator: realm, key_id, application_key, and a bucket of the test's own.

    One bucket belongs to one database, and each test has its own database.
    """
    return with_new_bucket(emulator.credentials)


class _SettingsOfTest(Settings):
    """Settings that do not read the environment, which takes four fifths of their time and holds none of them."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic passes it by its name
        init_settings: PydanticBaseSettingsSource,
        *_others: PydanticBaseSettingsSource,
        **_named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> MakeSettings:
    """`settings(**changes)`: settings with a spool of the test's own and ledger intervals ten times shorter.

    They name the parts that the test asks for: DATABASE_URL if it uses `database_url` or `database`, and so on.
    """

    def build(**changes: Any) -> Settings:
        values: dict[str, Any] = dict(shorter_intervals(10))
        # A test sends more in a minute than a person does. Tests of the limits ask for them.
        values |= {"limit_requests_per_minute": 0, "limit_wrong_tokens_per_minute": 0}
        # Renditions take minutes of processor time. Tests of them ask for them.
        values |= {"renditions": ("none",)}
        values |= {"spool_dir": tmp_path / "spool", "flower_db": tmp_path / "flower", "api_port": 0, "flower_port": 0}
        # `database` and what is built on it use the database without its URL.
        if {"database_url", "empty_database"} & set(request.fixturenames):
            values["database_url"] = request.getfixturevalue("database_url")
        if "redis_url" in request.fixturenames:
            values["redis_url"] = request.getfixturevalue("redis_url")
        if "b2" in request.fixturenames:
            b2: Credentials = request.getfixturevalue("b2")
            values |= {
                "backblaze_realm": b2.realm,
                "backblaze_key_id": b2.key_id,
                "backblaze_application_key": b2.application_key,
                "backblaze_bucket_name": b2.bucket,
            }
        return _SettingsOfTest(**(values | _PROGRAMS | changes))

    return build


@pytest.fixture(scope="session")
def fork_server() -> Iterator["ForkServer"]:
    """What starts workers, APIs and beats in a tenth of the time; `astegni up` and the commands start as users do."""
    from tests.forking.forked_process import ForkServer

    with scratch_directory() as folder, ForkServer(folder) as server:
        yield server


class Processes:
    """Processes of the product itself: `api` and `worker`, each with a log of its own. They end with the test."""

    def __init__(self, folder: Path, server: "ForkServer") -> None:
        self._folder = folder
        self._server = server
        self._running: list[ChildProcess] = []

    def api(self, settings: Settings, port: int | None = None) -> tuple[str, ChildProcess]:
        """An API that answers, at the address returned; with `port` in place of one that has ended."""
        if port is not None:
            return self._api(settings, port)
        return retry_while_port_taken(lambda: self._api(settings, free_port()))

    def worker(self, settings: Settings, *words: str) -> ChildProcess:
        """A worker; nobody waits until it works."""
        return self._start("worker", settings, *words)

    def beat(self, settings: Settings) -> ChildProcess:
        """What orders routine jobs; nobody waits until it works."""
        return self._start("beat", settings)

    def logs(self) -> str:
        """All that they have logged."""
        return "".join(path.read_text(errors="replace") for path in sorted(self._folder.glob("*.log")))

    def close(self) -> None:
        """Kill them: nobody waits for what they still do."""
        for process in self._running:
            process.kill()

    def _api(self, settings: Settings, port: int) -> tuple[str, ChildProcess]:
        process = self._start("api", settings.model_copy(update={"api_port": port}))
        wait_until(lambda: _accepts(port), process, 120)
        return f"http://127.0.0.1:{port}", process

    def _start(self, command: str, settings: Settings, *words: str) -> ChildProcess:
        log = self._folder / f"{command}-{len(self._running)}.log"
        process = self._server.start(command, "worker.cli", [command, *words], log, environment_for(settings))
        self._running.append(process)
        return process


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def processes(tmp_path: Path, fork_server: "ForkServer") -> Iterator[Processes]:
    """`processes.api(settings())`, `processes.worker(settings())`."""
    processes = Processes(tmp_path / "processes", fork_server)
    yield processes
    processes.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """`small_disk("1m", inodes=40)`: a real file system of that size; said again, the same one with other room.

    Where no file system may be mounted (only root may), the test is skipped.
    """
    folder = tmp_path / "disk"

    def mount(size: str, *, inodes: int | None = None) -> Path:
        options = [*(["remount"] if folder.exists() else []), f"size={size}"]
        options += [f"nr_inodes={inodes}"] if inodes else []
        folder.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("no right to mount a file system: what happens on a full disk is not tested")
        return folder

    yield mount
    if folder.is_mount():
        subprocess.run(["umount", str(folder)], check=True, timeout=TIMEOUT)


@dataclass(frozen=True)
class School:
    """Two families that know nothing of each other: a tutor, their student, the student's parent, and their booking."""

    tutor: UserCaller
    student: UserCaller
    parent: UserCaller
    booking_id: int
    other_tutor: UserCaller
    other_student: UserCaller
    other_parent: UserCaller
    other_booking_id: int


# One statement, for a thousand tests start with it; foreign keys are checked at its end.
_SCHOOL = """
WITH people AS (
    INSERT INTO users (id, first_name, email) VALUES
    (1, 'tutor 1', '1@example.org'), (2, 'student 2', '2@example.org'), (3, 'parent 3', '3@example.org'),
    (4, 'tutor 4', '4@example.org'), (5, 'student 5', '5@example.org'), (6, 'parent 6', '6@example.org')
), tutors AS (
    INSERT INTO tutor_profiles (id, user_id) VALUES (11, 1), (14, 4)
), parents AS (
    INSERT INTO parent_profiles (id, user_id) VALUES (33, 3), (36, 6)
), students AS (
    INSERT INTO student_profiles (id, user_id, parent_id) VALUES (22, 2, '{33}'), (25, 5, '{36}')
)
INSERT INTO tutor_student_bookings (tutor_id, student_id, subject)
VALUES (11, 22, 'Mathematics'), (14, 25, 'Physics')
RETURNING id
"""


@pytest.fixture
def school(database: Database) -> School:
    """People and bookings. Ids of users and of the three kinds of profiles all differ, so that none fits by chance."""
    booking_id, other_booking_id = sorted(row[0] for row in run_statement(database, _SCHOOL))
    return School(
        tutor=UserCaller(1, "tutor", tutor_id=11),
        student=UserCaller(2, "student", student_id=22),
        parent=UserCaller(3, "parent", parent_id=33),
        booking_id=booking_id,
        other_tutor=UserCaller(4, "tutor", tutor_id=14),
        other_student=UserCaller(5, "student", student_id=25),
        other_parent=UserCaller(6, "parent", parent_id=36),
        other_booking_id=other_booking_id,
    )


@dataclass(frozen=True)
class Identity:
    """A certificate and its key, as both sides use them."""

    server: ssl.SSLContext
    trusting: ssl.SSLContext


def identity_of(directory: Path, *names: str) -> Identity:
    certificate_file, key_file = make_certificate(directory, *names)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate_file, key_file)
    return Identity(server, ssl.create_default_context(cafile=str(certificate_file)))


MakeIdentity = Callable[..., Identity]


@pytest.fixture(scope="session")
def make_identity() -> MakeIdentity:
    """`make_identity(directory, *names)`: an identity of these names, its certificate in `certificate.pem` there."""
    return identity_of


class Script(subprocess.Popen[str]):
    """Another Python that runs a script."""

    def line(self) -> str:
        """The next line that it prints."""
        assert self.stdout is not None
        return self.stdout.readline()


Starter = Callable[..., Script]
Gone = Callable[[int], bool]


@pytest.fixture
def starter() -> Iterator[Starter]:
    """`starter(script, *arguments)`: another Python that runs `script`; killed at the end of the test."""
    started: list[Script] = []

    def start(script: str, *arguments: object, **options: Any) -> Script:
        command = [sys.executable, "-c", script, *map(str, arguments)]
        process = Script(command, stdout=subprocess.PIPE, text=True, **options)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def gone() -> Gone:
    """`gone(pid)`: whether that process ends within ten seconds; a zombie nobody has buried yet has ended."""

    def ended(pid: int) -> bool:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                    return True
            except psutil.NoSuchProcess:
                return True
            time.sleep(0.02)
        return False

    return ended


_PLATFORM = _TESTS / "data" / "platform"


@dataclass(frozen=True)
class Platform:
    """The live platform's database: `owner` is a connection that may change it, `url` the reader's address."""

    owner: psycopg.Connection
    url: str


@pytest.fixture(scope="session")
def platform_template(postgres: PostgresServer) -> Iterator[str]:
    """Name of a database with the platform's schema and sample rows, June 2026."""
    name = f"platform_template_{secrets.token_hex(6)}"
    postgres.create_database(name)
    with psycopg.connect(postgres.url(name), autocommit=True) as connection:
        for file in ("schema-2026.sql", "sample-2026.sql", "zone-evidence-2026.sql"):
            connection.execute((_PLATFORM / file).read_text().encode())
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    yield name
    postgres.drop_database(name)


@pytest.fixture
def platform(postgres: PostgresServer, platform_template: str) -> Iterator[Platform]:
    """A copy of the sample, and a role with the printed grants and nothing else."""
    name = f"platform_{secrets.token_hex(6)}"
    reader, password = f"astegni_reader_{secrets.token_hex(4)}", secrets.token_hex(8)
    postgres.create_database(name, platform_template)
    with psycopg.connect(postgres.url(name), autocommit=True) as owner:
        # A setting of the template itself, which its copies do not take over.
        owner.execute(f"ALTER DATABASE {name} SET timezone TO 'Europe/Berlin'".encode())
        for statement in grants(name, reader, password=password):
            owner.execute(statement.encode())
        parts = urlsplit(postgres.url(name))
        address = parts._replace(netloc=f"{reader}:{password}@{parts.netloc.rpartition('@')[2]}")
        yield Platform(owner, urlunsplit(address))
        owner.execute(f"DROP OWNED BY {reader}".encode())
        owner.execute(f"DROP ROLE {reader}".encode())
    postgres.drop_database(name)


@pytest.fixture
def platform_connection(platform: Platform) -> Iterator[PlatformConnection]:
    """The reader's connection."""
    connection = PlatformConnection(platform.url)
    yield connection
    connection.close()


@pytest.fixture
def platform_people(platform_connection: PlatformConnection) -> PlatformPeople:
    """The people of the sample."""
    return PlatformPeople(platform_connection)

"""The platform's database is stopped, crashed, frozen, restarted, half-granted, or in another zone than it says.

Known people notice nothing for a day, others get 503 and never 401, and what is pulled is neither lost nor doubled.
"""

import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx2
import psutil
import psycopg
import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from devstack.directories import scratch_directory
from devstack.postgres import EmbeddedPostgres
from tests.api.conftest import token_of
from tests.chaos.harness.proxy import Proxy
from tests.conftest import MakeSettings, Sql
from tests.memory import memory_directory
from tests.waiting import wait_for
from worker.access.callers import UserCaller
from worker.api.app import create_api
from worker.api.services import Services
from worker.database import Database
from worker.errors import Unavailable
from worker.platform.connection import PlatformConnection
from worker.platform.grants import grants
from worker.platform.zone import PlatformZone
from worker.workflows.platform_import.pull import import_platform

_DATA = Path(__file__).parents[1] / "data" / "platform"
KNOWN, UNKNOWN = UserCaller(11, "tutor", tutor_id=14), UserCaller(12, "student", student_id=11)
ANYTHING = "/v1/bookings"


@dataclass
class LivePlatform:
    """A PostgreSQL server with a copy of the platform's sample, reached through a proxy that keeps its port."""

    server: EmbeddedPostgres
    line: Proxy
    reader: str
    password: str

    @property
    def url(self) -> str:
        """The reader's address, which a restart does not change."""
        parts = urlsplit(self.server.url("platform"))
        return urlunsplit(parts._replace(netloc=f"{self.reader}:{self.password}@127.0.0.1:{self.line.port}"))

    def run(self, *statements: str) -> None:
        """Run these as the owner of the platform."""
        with psycopg.connect(self.server.url("platform"), autocommit=True) as owner:
            for statement in statements:
                owner.execute(statement.encode())

    def stop(self) -> None:
        self.server.stop()

    def crash(self) -> None:
        assert self.server.process is not None
        self.server.process.signal(signal.SIGQUIT)
        self.server.stop()

    def start(self) -> None:
        self.server.start()
        self.line.target = self.server.port

    def freeze(self) -> None:
        """Every process of it: connections are accepted and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def restore(self) -> None:
        """Whatever was done to it, it works again."""
        if self.server.process is None:
            self.start()
        self.thaw()

    def _signal(self, number: signal.Signals) -> None:
        assert self.server.process is not None
        main = psutil.Process(self.server.process.pid)
        for process in (main, *main.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """A server with the platform's sample as the database `sample`."""
    with scratch_directory(memory_directory()) as root, EmbeddedPostgres(root / "platform", fast=True) as server:
        server.create_database("sample")
        with psycopg.connect(server.url("sample"), autocommit=True) as owner:
            for file in ("schema-2026.sql", "sample-2026.sql", "zone-evidence-2026.sql"):
                owner.execute((_DATA / file).read_text().encode())
            owner.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        yield server


@pytest.fixture
def live(server: EmbeddedPostgres) -> Iterator[LivePlatform]:
    server.create_database("platform", "sample")
    with Proxy(server.port) as line:
        live = LivePlatform(server, line, f"astegni_reader_{secrets.token_hex(4)}", secrets.token_hex(8))
        # A setting of the sample itself, which its copies do not take over.
        live.run("ALTER DATABASE platform SET timezone TO 'Europe/Berlin'")
        live.run(*grants("platform", live.reader, password=live.password))
        # A crash loses no grant: this server writes its log late.
        live.run("CHECKPOINT")
        yield live
        live.restore()
    server.drop_database("platform")


Ask = Callable[..., httpx2.Response]


@pytest.fixture
def running(live: LivePlatform, settings: MakeSettings, database: Database) -> Iterator[tuple[TestClient, Services]]:
    """The API in this process, which reads that platform."""
    services = Services(settings(platform_database_url=SecretStr(live.url)), database, failure_hooks={})
    with TestClient(create_api(services)) as client:
        yield client, services
    connection = services.context.platform_connection
    assert connection is not None
    connection.close()


@pytest.fixture
def ask(running: tuple[TestClient, Services]) -> Ask:
    """`ask(person)`: a request with their token."""
    client, services = running

    def response(caller: UserCaller) -> Any:
        return client.get(ANYTHING, headers={"Authorization": f"Bearer {token_of(caller, services.settings)}"})

    return response


def _assert_unavailable(response: httpx2.Response) -> None:
    assert (response.status_code, response.json()["code"]) == (503, "unavailable"), response.text
    assert int(response.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("break_it", "mend_it"),
    [
        pytest.param(LivePlatform.stop, LivePlatform.start, id="stopped"),
        pytest.param(LivePlatform.crash, LivePlatform.start, id="crashed"),
        pytest.param(LivePlatform.freeze, LivePlatform.thaw, id="frozen"),
    ],
)
def test_known_people_come_in_for_a_day_and_nobody_is_refused(
    live: LivePlatform,
    ask: Ask,
    sql: Sql,
    break_it: Callable[[LivePlatform], None],
    mend_it: Callable[[LivePlatform], None],
) -> None:
    assert ask(KNOWN).status_code == 200
    break_it(live)

    # Read a minute ago, and so looked up again; then again, while it is known to be away.
    sql("UPDATE users SET platform_read_at = now() - interval '23 hours'")
    assert [ask(KNOWN).status_code for _ in range(5)] == [200] * 5
    for _ in range(3):
        _assert_unavailable(ask(UNKNOWN))
    sql("UPDATE users SET platform_read_at = now() - interval '25 hours'")
    _assert_unavailable(ask(KNOWN))

    mend_it(live)
    statuses: list[int] = []

    def back() -> bool:
        statuses.append(ask(UNKNOWN).status_code)
        return statuses[-1] == 200

    wait_for(back, pause=0.2)
    assert set(statuses) <= {200, 503}
    assert ask(KNOWN).status_code == 200


def test_a_restart_between_two_requests_is_not_noticed(live: LivePlatform, ask: Ask) -> None:
    assert ask(KNOWN).status_code == 200
    live.stop()
    live.start()

    assert ask(UNKNOWN).status_code == 200


@pytest.mark.parametrize("is_first", [True, False])
def test_a_column_that_may_not_be_read_is_an_outage_and_lets_nobody_in(
    live: LivePlatform, ask: Ask, sql: Sql, is_first: bool
) -> None:
    """Without `account_status` suspended accounts cannot be recognised; before or after the catalogue was read."""
    if not is_first:
        assert ask(KNOWN).status_code == 200
        sql("UPDATE users SET platform_read_at = now() - interval '23 hours'")
    live.run(f"REVOKE SELECT (account_status) ON users FROM {live.reader}")  # noqa: S608 - a name of the test's own

    _assert_unavailable(ask(UNKNOWN))
    if is_first:
        _assert_unavailable(ask(KNOWN))
    else:
        assert ask(KNOWN).status_code == 200
    live.run(f"GRANT SELECT (account_status) ON users TO {live.reader}")
    assert [ask(person).status_code for person in (UNKNOWN, KNOWN)] == [200, 200]


@dataclass
class Pull:
    """Pulls of everything, each with a connection of its own as after a restart."""

    database: Database
    live: LivePlatform

    def run(self, *, fault_before: int | None = None, fault: Callable[[], None] = lambda: None) -> dict[str, Any]:
        """The counts by kind; `fault` happens before the batch of this number. Raises Unavailable."""
        batches = iter(range(1_000_000))

        def check() -> None:
            if next(batches) == fault_before:
                fault()

        with ExitStack() as opened:
            connection = PlatformConnection(self.live.url)
            opened.callback(connection.close)
            zone = PlatformZone(connection, None).proof().zone
            reports = import_platform(
                self.database,
                connection,
                timezone="Africa/Addis_Ababa",
                server_zone=zone,
                compare=fault_before is None,
                check=check,
            )
            return {report.kind: dict(+report.counts) if report.waits_for is None else "waits" for report in reports}


@pytest.fixture
def pull(database: Database, live: LivePlatform) -> Pull:
    return Pull(database, live)


def _rows(sql: Sql) -> dict[str, int]:
    tables = (
        *("users", "student_profiles", "tutor_student_bookings", "session_requests", "tutor_schedules"),
        *("schedule_participants", "whiteboard_sessions", "whiteboard_pages", "timetable_entries"),
        *("page_strokes", "lesson_alarms", "deliveries"),
    )
    return {table: sql(f"SELECT count(*) FROM {table}")[0][0] for table in tables}  # noqa: S608 - names of ours


@pytest.mark.parametrize("fault", ["stopped", "crashed", "frozen"])
def test_a_pull_that_is_interrupted_anywhere_goes_on(live: LivePlatform, pull: Pull, sql: Sql, fault: str) -> None:
    """Before each of its batches in turn; then everything is there once."""
    break_it = {"stopped": live.stop, "crashed": live.crash, "frozen": live.freeze}[fault]
    for batch in range(0, 12, 3):
        with suppress(Unavailable):
            pull.run(fault_before=batch, fault=break_it)
        live.restore()
    pull.run()

    rows = _rows(sql)
    assert rows == rows | {
        "users": 11,
        "student_profiles": 8,
        "tutor_student_bookings": 7,
        "session_requests": 7,
        "tutor_schedules": 12,
        "whiteboard_sessions": 6,
        "whiteboard_pages": 7,
        "timetable_entries": 12,
        "page_strokes": 18,
    }
    pull.run()
    assert _rows(sql) == rows


def test_what_happens_while_it_is_away_comes_afterwards(live: LivePlatform, pull: Pull, sql: Sql) -> None:
    pull.run()
    live.freeze()
    with pytest.raises(Unavailable):
        pull.run()
    live.thaw()
    live.run(
        "UPDATE sessions SET status = 'cancelled', updated_at = now() WHERE id = 97",
        "DELETE FROM schedules WHERE id = 301",
    )
    live.stop()
    live.start()
    pull.run()

    lesson = (
        "SELECT status FROM tutor_schedules JOIN platform_links USING (id) WHERE kind = 'lesson' AND platform_id = 97"
    )
    assert sql(lesson) == [("cancelled",)]
    assert sql("SELECT count(*) FROM timetable_entries") == [(11,)]


def test_a_table_that_may_not_be_read_stops_only_what_comes_after_it(live: LivePlatform, pull: Pull, sql: Sql) -> None:
    live.run(f"REVOKE SELECT ON sessions FROM {live.reader}")  # noqa: S608 - a name of the test's own
    with pytest.raises(Unavailable, match=r"sessions\.\w+ may not be read"):
        pull.run()
    assert _rows(sql)["tutor_student_bookings"] == 7
    assert _rows(sql)["tutor_schedules"] == 0

    live.run(f"GRANT SELECT ON sessions TO {live.reader}")
    pull.run()
    assert _rows(sql)["tutor_schedules"] == 12


def test_a_zone_that_its_rows_refute_imports_no_time(live: LivePlatform, pull: Pull, sql: Sql) -> None:
    live.run("ALTER DATABASE platform SET timezone TO 'Asia/Tokyo'")
    counts = pull.run()
    waiting = {kind for kind, count in counts.items() if count == "waits"}
    assert {"lesson", "board"} <= waiting
    assert _rows(sql)["users"] == 11
    assert (_rows(sql)["tutor_schedules"], _rows(sql)["whiteboard_sessions"]) == (0, 0)

    live.run("ALTER DATABASE platform SET timezone TO 'Europe/Berlin'")
    assert "waits" not in pull.run().values()
    assert (_rows(sql)["tutor_schedules"], _rows(sql)["whiteboard_sessions"]) == (12, 6)

"""What a platform costs: the check of a token, the first import, and a pull with nothing changed."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg

from benchmarks.harness.figure import Figure, Limit, Reading, median, percentile, spread
from benchmarks.harness.scale import Scale
from benchmarks.material.platform_rows import PlatformSize, fill_platform
from devstack.directories import scratch_directory
from devstack.postgres import EmbeddedPostgres
from worker import clock
from worker.access.callers import UserCaller
from worker.database import Database
from worker.migrate import migrate
from worker.platform.connection import PlatformConnection, Row
from worker.platform.people import PlatformPeople
from worker.platform.zone import ServerZone
from worker.settings import Settings
from worker.workflows.people.verify_caller import verify_caller
from worker.workflows.platform_import.pull import import_platform

_SLOWER = Limit("ratio", "≤", 1.05)
_UNKNOWN, _ONE = Limit("value", "<", 30.0), Limit("value", "≤", 1.0)
_RATE, _PEAK = Limit("value", "≥", 5000.0), Limit("value", "<", 300.0)
_IDLE = Limit("value", "<", 100.0)
_IDLE_PULLS = 5
# PostgreSQL counts uses of a table once a connection has ended.
_COUNTED_AFTER = 1.5
_USES = "SELECT relname, coalesce(seq_scan, 0) + coalesce(idx_scan, 0) FROM pg_stat_user_tables"


class _Counted(PlatformConnection):
    """Counts the statements that it sends."""

    sent = 0

    def rows(self, *arguments: Any, **options: Any) -> Sequence[Row]:
        self.sent += 1
        return super().rows(*arguments, **options)


@dataclass(frozen=True)
class _Parts:
    """Our database and the platform's, on one server."""

    database: Database
    our_url: str
    platform_url: str


def measure_platform(scale: Scale) -> Figure:
    """Measure against a platform in another database of one server, over loopback."""
    figure = Figure("Platform: people read at their token, the first import, and a pull with nothing changed")
    size = PlatformSize.of(scale)
    with _parts(size) as parts:
        _measure_tokens(figure, parts, scale)
        _measure_import(figure, parts)
        _measure_idle(figure, parts)
    figure.notes.append(
        f"{size.people} people, {size.lessons} lessons and {size.strokes} strokes of 20 points, written one "
        "after another over several months until a month ago. Both "
        "databases are on one server, with fsync, and share the cores with this process. Tokens are verified in this "
        "process, those of known people in turn with and without a platform. Peak: VmHWM of a separate process that "
        "imports and ends. A use is a scan of a table or of one of its indexes, as pg_stat_user_tables counts them."
    )
    return figure


@contextmanager
def _parts(size: PlatformSize) -> Iterator[_Parts]:
    with scratch_directory() as folder, EmbeddedPostgres(folder / "postgres") as server:
        for name in ("ours", "platform"):
            server.create_database(name)
        with psycopg.connect(server.url("platform"), autocommit=True) as connection:
            fill_platform(connection, size)
        url = Settings(database_url=server.url("ours")).sqlalchemy_url
        migrate(url)
        database = Database(url)
        try:
            yield _Parts(database, server.url("ours"), server.url("platform"))
        finally:
            database.close()


def _measure_tokens(figure: Figure, parts: _Parts, scale: Scale) -> None:
    connection = _Counted(parts.platform_url)
    people = PlatformPeople(connection)
    callers = [UserCaller(number, "student") for number in range(1, 1 + 10 * scale.requests)]
    verify_caller(parts.database, people, UserCaller(callers[-1].user_id + 1), now=clock.now())  # reads the catalogue
    connection.sent = 0
    unknown = [_milliseconds(partial(_check, parts, people, caller)) for caller in callers]
    queries = connection.sent / len(callers)
    known: dict[bool, list[float]] = {True: [], False: []}
    for number, caller in enumerate(callers):
        for with_platform in (True, False) if number % 2 else (False, True):
            asked = people if with_platform else None
            known[with_platform].append(_milliseconds(partial(_check, parts, asked, caller)))
    connection.close()
    for what, read in (("median", median), ("p95", lambda times: percentile(times, 95))):
        ours, peer = read(known[True]), read(known[False])
        limit = _SLOWER if what == "p95" else None
        name = f"token of a known person, {what}"
        figure.readings.append(Reading(name, ours, "ms", None, peer, "without a platform", limit))
    figure.readings += [
        Reading("token of an unknown person, p95", percentile(unknown, 95), "ms", spread(unknown), limit=_UNKNOWN),
        Reading("the same: queries there", queries, "", limit=_ONE),
    ]


def _check(parts: _Parts, people: PlatformPeople | None, caller: UserCaller) -> None:
    verify_caller(parts.database, people, caller, now=clock.now())


def _measure_import(figure: Figure, parts: _Parts) -> None:
    command = [sys.executable, "-m", "benchmarks.platform_import", parts.our_url, parts.platform_url]
    run = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    rows = sum(counts.get("read", 0) for counts in run["counts"].values())
    figure.readings += [
        Reading(f"first import of {rows} rows", rows / run["seconds"], "rows/s", limit=_RATE),
        Reading("the same: peak resident", run["peak"] / 1e6, "MB", limit=_PEAK),
    ]
    refused = {kind: counts["refused"] for kind, counts in run["counts"].items() if "refused" in counts}
    if refused:
        figure.notes.append(f"Refused: {refused}.")


def _measure_idle(figure: Figure, parts: _Parts) -> None:
    times: list[float] = []
    uses: Mapping[str, int] = {}
    for _ in range(_IDLE_PULLS):
        before = _uses(parts)
        connection = PlatformConnection(parts.platform_url)
        connection.rows("SELECT 1")  # connects
        times.append(_milliseconds(partial(_pull, parts, connection)))
        connection.close()
        after = _uses(parts)
        uses = {table: after[table] - before[table] for table in after if after[table] > before[table]}
    worst = max(uses, key=lambda table: uses[table], default="none")
    figure.readings += [
        Reading.of("pull with nothing changed", times, "ms", limit=_IDLE),
        Reading(f"the same: uses of a table there, the most ({worst})", uses.get(worst, 0), "", limit=_ONE),
    ]
    figure.notes.append(
        f"Uses in the last pull: {', '.join(f'{table} {count}' for table, count in sorted(uses.items()))}."
    )


def _pull(parts: _Parts, connection: PlatformConnection) -> None:
    zone = ServerZone("Europe/Berlin")
    list(import_platform(parts.database, connection, timezone="Africa/Addis_Ababa", server_zone=zone))


def _uses(parts: _Parts) -> dict[str, int]:
    time.sleep(_COUNTED_AFTER)
    with psycopg.connect(parts.platform_url, autocommit=True) as connection:
        return dict(connection.execute(_USES).fetchall())


def _milliseconds(do: Callable[[], None]) -> float:
    began = time.perf_counter()
    do()
    return (time.perf_counter() - began) * 1000

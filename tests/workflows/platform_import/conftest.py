"""The platform's sample, imported into a database of the test's own, and what `payloads.json` expects of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Sql
from worker.database import Database
from worker.platform.connection import PlatformConnection
from worker.platform.zone import ServerZone
from worker.workflows.platform_import.pull import import_platform
from worker.workflows.platform_import.transactions import PullLimits

BERLIN = ServerZone("Europe/Berlin")
LESSONS = "Africa/Addis_Ababa"

Import = Callable[..., dict[str, dict[str, int]]]
Refusals = Callable[[str], dict[int, str]]


@pytest.fixture(scope="session")
def expected() -> Any:
    """`expected_import` of the payloads."""
    path = Path(__file__).parents[2] / "data" / "platform" / "payloads.json"
    return json.loads(path.read_text())["expected_import"]


@pytest.fixture
def run_import(database: Database, platform_connection: PlatformConnection) -> Import:
    """`run_import()`: everything, ids compared; the counts of each kind. `server_zone=None`: not proven."""

    def run(
        server_zone: ServerZone | None = BERLIN,
        *,
        timezone: str = LESSONS,
        compare: bool = True,
        accept_deletes: bool = False,
        transactions: Any = database,
        connection: PlatformConnection = platform_connection,
        limits: PullLimits | None = None,
    ) -> dict[str, dict[str, int]]:
        reports = import_platform(
            transactions,
            connection,
            timezone=timezone,
            server_zone=server_zone,
            compare=compare,
            accept_deletes=accept_deletes,
            limits=limits,
        )
        counts = [(report.kind, report.counts, report.waits_for) for report in reports]
        return {kind: dict(+count) if waits is None else {"waits": 1} for kind, count, waits in counts}

    return run


@pytest.fixture
def refusals(sql: Sql) -> Refusals:
    """`refusals("lesson")`: the reasons of what was refused, by platform id."""

    def read(kind: str) -> dict[int, str]:
        statement = "SELECT platform_id, reason FROM platform_refusals WHERE kind = :kind AND is_refused"
        return dict(sql(statement, kind=kind))

    return read


def stored(sql: Sql, *tables: str) -> dict[str, list[Any]]:
    """All rows of these tables of ours, without when a refusal was last seen: refused rows are tried again."""
    statement = "SELECT to_jsonb(one) - 'last_seen_at' AS row FROM {} AS one ORDER BY CAST(to_jsonb(one) AS text)"
    return {table: [record.row for record in sql(statement.format(table))] for table in tables}

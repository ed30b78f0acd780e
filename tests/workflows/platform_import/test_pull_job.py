"""The job that beat orders each minute."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import MakeSettings, Sql
from worker.beat_timetable import timetable
from worker.database import Database
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.routine_orders import PullPlatform
from worker.jobs.runs.perform import Performer
from worker.jobs.runs.run_lease import LeaseTiming
from worker.platform.connection import PlatformConnection
from worker.workflows.context import WorkerContext
from worker.workflows.platform_import.pull import pull_platform

Job = Callable[[PlatformConnection], dict[str, Any]]


@pytest.fixture
def job(database: Database, settings: MakeSettings, sql: Sql) -> Job:
    """Run the job on this platform; its result."""

    def run(connection: PlatformConnection) -> dict[str, Any]:
        context = WorkerContext(settings(), database)
        context.platform_connection = connection
        with database.transaction() as session:
            job_id = enqueue(session, PullPlatform())
        Performer(database, "test", LeaseTiming(30, 10, 0.1), 0.01, {}).perform(
            job_id, lambda job, _order: pull_platform(job, context)
        )
        ((state, error, result),) = sql("SELECT state, error, result FROM jobs WHERE id = :id", id=job_id)
        assert state == "succeeded", error
        return dict(result)

    return run


def test_it_takes_what_has_changed(job: Job, platform_connection: PlatformConnection, sql: Sql) -> None:
    counts = job(platform_connection)
    assert counts["person"] == {"read": 11, "stored": 11}
    assert counts["enrolment"] == {"read": 5, "stored": 5}
    assert "stored" not in job(platform_connection)["person"]
    assert sql("SELECT count(*) FROM users") == [(11,)]
    assert sql(
        "SELECT count(*) FROM platform_pulls WHERE kind = 'person' AND pulled_at > now() - interval '1 hour'"
    ) == [(1,)]


def test_while_the_platform_is_away_the_next_one_goes_on(job: Job, platform_connection: PlatformConnection) -> None:
    away = PlatformConnection("postgresql://reader@127.0.0.1:1/platform")
    assert "does not answer" in job(away)["away"]
    away.close()

    assert job(platform_connection)["person"] == {"read": 11, "stored": 11}


def test_beat_orders_it_each_minute_where_there_is_a_platform(settings: MakeSettings) -> None:
    url = "postgresql://reader@127.0.0.1/platform"

    assert timetable(settings(platform_database_url=url))["upkeep.pull_platform"]["schedule"] == 60
    assert "upkeep.pull_platform" not in timetable(settings())

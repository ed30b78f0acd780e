"""People who were changed or deleted on the platform are updated here, even if they never log in."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Platform, Sql
from worker import clock
from worker.access.people_store import store_people
from worker.database import Database
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.routine_orders import SweepPeople
from worker.jobs.runs.perform import Performer
from worker.jobs.runs.run_lease import LeaseTiming
from worker.platform.people import PlatformPeople
from worker.settings import Settings
from worker.workflows.context import WorkerContext
from worker.workflows.people.sweep_people import sweep_people

Sweep = Callable[[], dict[str, int]]


@pytest.fixture
def sweep(database: Database, settings: Callable[..., Settings], platform_people: PlatformPeople, sql: Sql) -> Sweep:
    """Run the job; its result."""

    def run() -> dict[str, int]:
        context = WorkerContext(settings(), database)
        context.platform_people = platform_people
        with database.transaction() as session:
            job_id = enqueue(session, SweepPeople())
        Performer(database, "test", LeaseTiming(30, 10, 0.1), 0.01, {}).perform(
            job_id, lambda job, _order: sweep_people(job, context)
        )
        ((state, error, result),) = sql("SELECT state, error, result FROM jobs WHERE id = :id", id=job_id)
        assert state == "succeeded", error
        return dict(result)

    return run


@pytest.fixture
def everybody(database: Database, platform_people: PlatformPeople) -> None:
    """All people of the sample have come in once."""
    with database.transaction() as session:
        store_people(session, list(platform_people.everybody()), read_at=clock.now())


@pytest.mark.usefixtures("everybody")
def test_what_changed_there_changes_here(platform: Platform, sweep: Sweep, sql: Sql) -> None:
    assert sweep() == {"people": 11, "changed": 0}
    for statement in (
        "UPDATE users SET is_suspended = true WHERE id = 11",
        "UPDATE users SET account_status = 'active', is_active = true WHERE id = 17",
        "UPDATE users SET first_name = 'Selam' WHERE id = 14",
        "UPDATE student_profiles SET parent_id = '{11,17}' WHERE id = 13",
        "UPDATE tutor_profiles SET is_active = false WHERE id = 12",
    ):
        platform.owner.execute(statement)

    assert sweep() == {"people": 11, "changed": 5}

    assert sql("SELECT id, is_active FROM users WHERE id IN (11, 17) ORDER BY id") == [(11, False), (17, True)]
    assert sql("SELECT first_name FROM users WHERE id = 14") == [("Selam",)]
    assert sql("SELECT parent_id FROM student_profiles WHERE id = 13") == [([11, 17],)]
    assert sql("SELECT is_active FROM tutor_profiles WHERE id = 12") == [(False,)]
    assert sweep() == {"people": 11, "changed": 0}


@pytest.mark.usefixtures("everybody")
def test_who_is_deleted_there_stays_here_inactive(platform: Platform, sweep: Sweep, sql: Sql) -> None:
    platform.owner.execute("DELETE FROM users WHERE id = 24")

    assert sweep() == {"people": 11, "changed": 0}  # had been deactivated before
    platform.owner.execute("UPDATE student_profiles SET user_id = NULL WHERE user_id = 16")
    platform.owner.execute("DELETE FROM users WHERE id = 16")
    assert sweep() == {"people": 11, "changed": 1}
    assert sql("SELECT first_name, is_active FROM users WHERE id = 16") == [("Yared", False)]


def test_most_people_gone_at_once_are_not_believed(
    platform: Platform, platform_people: PlatformPeople, database: Database, sweep: Sweep, sql: Sql
) -> None:
    """A database that is being restored has an empty table for a while."""
    active = "SELECT count(*) FROM users WHERE is_active AND id >= 1000"
    platform.owner.execute(
        "INSERT INTO users (id, first_name, password_hash) SELECT id, 'New', 'x' FROM generate_series(1000, 1199) AS id"
    )
    with database.transaction() as session:
        store_people(session, list(platform_people.everybody()), read_at=clock.now())
    platform.owner.execute("CREATE TABLE kept AS SELECT * FROM users WHERE id >= 1000")
    platform.owner.execute("DELETE FROM users WHERE id >= 1000")

    assert sweep() == {"people": 211, "changed": 0}
    assert sql(active) == [(200,)]

    platform.owner.execute("INSERT INTO users SELECT * FROM kept WHERE id >= 1100")
    assert sweep() == {"people": 211, "changed": 100}
    assert sql(active) == [(100,)]


def test_people_of_our_own_are_left_alone(sweep: Sweep, sql: Sql, school: Any) -> None:
    before = sql("SELECT id, is_active FROM users ORDER BY id")

    assert sweep() == {"people": 0, "changed": 0}
    assert sql("SELECT id, is_active FROM users ORDER BY id") == before

"""Two installations on one bucket: the second neither starts nor sweeps, until it takes the bucket over."""

import secrets
import subprocess
from collections.abc import Iterator

import pytest
from sqlalchemy import make_url

from tests.conftest import PostgresServer
from tests.workflows.conftest import Put, Versions
from worker.cli.local_stack.command import astegni
from worker.cli.local_stack.environment import environment_for
from worker.database import Database
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.routine_orders import SweepObjects
from worker.jobs.runs.perform import JobNotDone, Performer
from worker.jobs.runs.run_lease import LeaseTiming
from worker.storage.ownership import ForeignBucket
from worker.workflows.context import WorkerContext
from worker.workflows.operations.sweep import sweep_objects
from worker.workflows.own_bucket import check_before_start, take_over_bucket
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS

_ORPHAN = "videos/whiteboard/session_1/recording_1/0123/play/playback.webm"


@pytest.fixture
def second(context: WorkerContext, postgres: PostgresServer, template_database: str) -> Iterator[WorkerContext]:
    """Another installation with the same BACKBLAZE_*, as a trial beside production has."""
    name = f"astegni_second_{secrets.token_hex(6)}"
    postgres.create_database(name, template_database)
    # A copy of a template is another installation only with an id of its own.
    url = postgres.url(name)
    database = Database(make_url(url).set(drivername="postgresql+psycopg"))
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE installation SET id = gen_random_uuid()")
    settings = context.settings.model_copy(update={"database_url": url, "orphan_age": 0})
    yield WorkerContext(settings, database)
    database.close()
    postgres.drop_database(name)


def _sweep(context: WorkerContext) -> str | None:
    """Run the job; the code of its error."""
    with context.database.transaction() as session:
        job_id = enqueue(session, SweepObjects())
    performer = Performer(context.database, "test", LeaseTiming(30, 10, 0.1), 0.01, FAILURE_HOOKS)
    try:
        performer.perform(job_id, lambda run, _order: sweep_objects(run, context))
    except JobNotDone:
        with context.database.engine.begin() as connection:
            return str(connection.exec_driver_sql("SELECT error ->> 'code' FROM jobs").scalar_one())
    return None


def test_the_second_one_sweeps_nothing(
    context: WorkerContext, second: WorkerContext, put: Put, versions: Versions
) -> None:
    put(_ORPHAN)

    assert _sweep(second) == "foreign-bucket"
    assert [name for name, _ in versions()] == [_ORPHAN]
    with pytest.raises(ForeignBucket, match="names another database"):
        check_before_start(second.settings)


def test_after_a_take_over_the_first_one_sweeps_nothing(
    context: WorkerContext, second: WorkerContext, put: Put, versions: Versions
) -> None:
    """Also in a process that has used the bucket before."""
    put(_ORPHAN)
    take_over_bucket(second.settings)

    first = WorkerContext(context.settings.model_copy(update={"orphan_age": 0}), context.database)
    first.store = context.store
    assert _sweep(first) == "foreign-bucket"
    assert [name for name, _ in versions()] == [_ORPHAN]
    assert _sweep(second) is None
    assert versions() == []


def test_a_worker_does_not_start_on_it(second: WorkerContext, put: Put) -> None:
    ended = subprocess.run(
        astegni("worker", "--queues", "media"),
        env=environment_for(second.settings),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert ended.returncode == 1
    assert "run `astegni bucket take-over`" in ended.stderr


def test_a_worker_starts_while_b2_is_away(second: WorkerContext) -> None:
    """Each job checks again before it uses the bucket."""
    check_before_start(second.settings.model_copy(update={"backblaze_realm": "http://127.0.0.1:1"}))

"""`/metrics` of a worker and of beat."""

from contextlib import suppress

import httpx2
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from devstack.ports import free_port
from tests.conftest import MakeSettings, Processes, Sql
from tests.waiting import TIMEOUT, wait_for
from worker.database import Database
from worker.errors import Misconfigured
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.routine_orders import CheckQueue, FillSeries
from worker.processes.metrics_server import serving_metrics
from worker.settings import Settings


def read(port: int) -> dict[str, float]:
    """Every sample as `name label …`; empty when nobody answers."""
    with suppress(httpx2.HTTPError):
        body = httpx2.get(f"http://127.0.0.1:{port}/metrics", trust_env=False, timeout=TIMEOUT).text
        samples = [sample for family in text_string_to_metric_families(body) for sample in family.samples]
        return {" ".join((sample.name, *sample.labels.values())): sample.value for sample in samples}
    return {}


def test_a_worker_shows_what_its_children_did_dead_ones_too(
    settings: MakeSettings, database: Database, redis_url: str, processes: Processes, sql: Sql
) -> None:
    port = free_port()
    worker = processes.worker(settings(metrics_port=port, worker_concurrency=1), "--queues", "default")

    def order() -> None:
        with database.transaction() as session:
            enqueue(session, FillSeries())
        wait_for(lambda: not sql("SELECT 1 FROM jobs WHERE state <> 'succeeded'"), details=lambda: worker.log_tail(40))

    def ended(number: int) -> dict[str, float] | None:
        # The job's row ends a moment before its attempt is recorded.
        values = read(port)
        return values if values.get("astegni_job_run_seconds_count schedules.fill") == number else None

    order()
    first = wait_for(lambda: ended(1), details=lambda: read(port))
    assert first["astegni_job_attempts_total schedules.fill succeeded"] == 1
    assert first["astegni_job_wait_seconds_count schedules.fill"] == 1
    assert first["process_resident_memory_bytes"] > 0
    (child,) = psutil.Process(worker.pid).children()
    child.kill()
    order()
    wait_for(lambda: ended(2), details=lambda: read(port))


def test_a_lost_lease_is_counted_by_who_takes_the_job_back(
    settings: MakeSettings, database: Database, redis_url: str, processes: Processes, sql: Sql
) -> None:
    port = free_port()
    with database.transaction() as session:
        enqueue(session, CheckQueue("media"))
    sql(
        "UPDATE jobs SET state = 'running', attempt = 1, run_token = gen_random_uuid(), started_at = now(),"
        " lease_until = now() - interval '1 s'"
    )
    processes.worker(settings(metrics_port=port), "--queues", "default")
    wait_for(lambda: read(port).get("astegni_job_lease_losses_total upkeep.check_queue") == 1, details=processes.logs)


def test_a_port_that_is_taken_is_named() -> None:
    settings = Settings(metrics_port=free_port())
    with serving_metrics(settings):
        assert "astegni_storage_bytes_total up" in read(settings.metrics_port or 0)
        with pytest.raises(Misconfigured, match=f"METRICS_PORT {settings.metrics_port} .*a port of its own"):
            serving_metrics(settings).__enter__()
    assert read(settings.metrics_port or 0) == {}

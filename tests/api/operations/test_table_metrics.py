"""Metrics of stored data: tables, and the jobs that delete old rows."""

from starlette.testclient import TestClient

from models.metadata import metadata
from tests.conftest import Sql
from worker.api.app import create_api
from worker.api.operations.table_metrics import read_table_metrics
from worker.api.services import Services
from worker.database import Database
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.routine_orders import PruneLedger, SweepSpool


def test_every_table_has_rows_and_bytes(database: Database, services: Services, sql: Sql) -> None:
    sql("INSERT INTO heartbeats (process, part, seen_at) SELECT 'worker', n::text, now() FROM generate_series(1, 40) n")
    sql("ANALYZE heartbeats")
    with database.transaction() as session:
        metrics = read_table_metrics(session)
    assert set(metrics.rows) == set(metrics.bytes) == set(metadata.tables)
    assert metrics.rows["heartbeats"] == 40
    # A page of rows and at least two of the primary key.
    assert metrics.bytes["heartbeats"] >= 3 * 8192
    with TestClient(create_api(services)) as client:
        assert 'astegni_table_rows{table="heartbeats"} 40.0' in client.get("/metrics").text


def test_the_age_of_upkeep_is_that_of_its_last_success(database: Database, sql: Sql) -> None:
    def minutes() -> dict[tuple[str, str], int]:
        with database.transaction() as session:
            return {key: int(age) // 60 for key, age in read_table_metrics(session).upkeep.items()}

    def end(state: str, ago: int) -> None:
        sql(
            "UPDATE jobs SET state = :state, created_at = now() - make_interval(mins => :ago + 1),"
            " finished_at = now() - make_interval(mins => :ago) WHERE state = 'queued'",
            state=state,
            ago=ago,
        )

    assert minutes() == {}
    for state, ago in (("failed", 200), ("succeeded", 100), ("failed", 50)):
        with database.transaction() as session:
            enqueue(session, PruneLedger())
        end(state, ago)
    with database.transaction() as session:
        enqueue(session, SweepSpool("shared"))
    end("dead", 30)
    # Never succeeded: as old as its first order.
    assert minutes() == {("upkeep.prune_ledger", "default"): 100, ("upkeep.sweep_spool", "media.shared"): 31}
    # The database's clock was set back.
    sql("UPDATE jobs SET created_at = created_at + interval '1 day', finished_at = finished_at + interval '1 day'")
    assert all(age > 60 for age in minutes().values())

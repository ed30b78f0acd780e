"""KEDA's queries, on a migrated database, by the role of docs/operations.md, which may do nothing else."""

import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.conftest import Sql
from tests.deploy.manifests import BASE, Manifest, of_kind, resources, workloads
from worker.settings import Settings

ROOT = Path(__file__).parents[2]
MANIFESTS = resources(BASE)
SCALED = of_kind(MANIFESTS, "ScaledObject")
ONE_SHOT_OR_SINGLE = {"migrate", "beat", "flower", "api"}


@pytest.fixture
def scaler(database_url: str) -> Iterator[psycopg.Connection]:
    """A connection as the role whose statements the documentation has."""
    name = f"astegni_scaler_{secrets.token_hex(4)}"
    (block,) = re.findall(r"```sql\n((?:CREATE|GRANT)[^`]*astegni_scaler[^`]*)```", _operations())
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(block.replace("astegni_scaler", name).replace("…", "x").encode())
        parts = urlsplit(database_url)
        url = urlunsplit(parts._replace(netloc=f"{name}:x@{parts.netloc.rpartition('@')[2]}"))
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection
        owner.execute(f"DROP OWNED BY {name}".encode())
        owner.execute(f"DROP ROLE {name}".encode())


def _operations() -> str:
    return (ROOT / "docs" / "operations.md").read_text()


def _metrics(scaler: psycopg.Connection) -> dict[str, list[float]]:
    """What each ScaledObject's triggers read: one row with one number each."""
    metrics: dict[str, list[float]] = {}
    for name, manifest in SCALED.items():
        for trigger in manifest["spec"]["triggers"]:
            ((metric,),) = scaler.execute(trigger["metadata"]["query"].encode()).fetchall()
            assert isinstance(metric, int), "KEDA reads an integer"
            metrics.setdefault(name, []).append(metric)
    return metrics


def test_nothing_to_do_is_zero(scaler: psycopg.Connection) -> None:
    assert _metrics(scaler) == {"worker-default": [0, 0], "worker-spool": [0], "worker-media": [0]}


def test_what_is_due_or_runs_is_counted_by_its_queue(scaler: psycopg.Connection, sql: Sql) -> None:
    sql(
        """
        INSERT INTO jobs (kind, queue, state, run_at, run_token, finished_at)
        SELECT 'test', queue, state, now() + wait, CASE WHEN state = 'running' THEN gen_random_uuid() END,
               CASE WHEN state IN ('succeeded', 'failed', 'cancelled', 'dead') THEN now() END
          FROM unnest(ARRAY['default', 'reminders', 'media', 'media.shared', 'media.worker-media-0']) queue,
               unnest(ARRAY['queued', 'published', 'running', 'retryable', 'succeeded', 'failed', 'cancelled', 'dead'])
                   state,
               unnest(ARRAY[interval '-1 minute', interval '1 hour']) wait
        """
    )

    # Due: queued, published, retryable, running; not yet due: running, which has begun.
    assert _metrics(scaler) == {"worker-default": [10, 0], "worker-spool": [5], "worker-media": [5]}


def test_messages_that_are_due_or_in_hand_are_counted(scaler: psycopg.Connection, sql: Sql) -> None:
    sql("INSERT INTO users (id, first_name, email) VALUES (1, 'a', 'a@example.org')")
    sql(
        """
        INSERT INTO deliveries (kind, user_id, channel, key, due_at, state)
        SELECT 'recording-ready', 1, 'email', state || wait, now() + wait, state
          FROM unnest(ARRAY['pending', 'sending', 'sent', 'failed', 'dropped', 'cancelled']) state,
               unnest(ARRAY[interval '-1 minute', interval '1 hour']) wait
        """
    )

    assert _metrics(scaler)["worker-default"] == [0, 3]


def test_the_role_may_read_nothing_else_and_change_nothing(scaler: psycopg.Connection, sql: Sql) -> None:
    tables = [
        name
        for (name,) in sql("SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'")
        if name not in {"queue_backlog", "delivery_backlog"}
    ]
    assert len(tables) > 30
    for table in tables:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            scaler.execute(f'SELECT FROM "{table}" LIMIT 1'.encode())
    for statement in ("DELETE FROM queue_backlog", "CREATE TABLE t ()"):
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectNotInPrerequisiteState)):
            scaler.execute(statement.encode())


def test_the_count_of_jobs_reads_an_index(scaler: psycopg.Connection, sql: Sql) -> None:
    """A table of millions of finished jobs is not read each 15 seconds."""
    scaler.execute("SET enable_seqscan = off")
    for manifest in SCALED.values():
        for trigger in manifest["spec"]["triggers"]:
            plan = sql(f"SET enable_seqscan = off; EXPLAIN {trigger['metadata']['query']}")
            assert "Seq Scan" not in "\n".join(str(row[0]) for row in plan)


def test_whatever_has_several_pods_is_scaled_by_its_own_work() -> None:
    every = workloads(MANIFESTS)

    assert set(SCALED) == every.keys() - ONE_SHOT_OR_SINGLE
    for name, manifest in SCALED.items():
        spec = manifest["spec"]
        assert spec["scaleTargetRef"] == {
            "apiVersion": "apps/v1",
            "kind": every[name].manifest["kind"],
            "name": name,
        }
        # Relay, reaper and dispatcher live in workers: one of each must be there.
        assert 1 <= spec["minReplicaCount"] <= spec["fallback"]["replicas"] <= spec["maxReplicaCount"]
        # A replica count of its own would be set back by each `kubectl apply`.
        assert "replicas" not in every[name].manifest["spec"]


@pytest.mark.parametrize("name", sorted(SCALED))
def test_keda_knows_every_field(name: str) -> None:
    """Its schema (keda.sh/v1alpha1) refuses no unknown field of a trigger's metadata: a misspelt one has no effect."""
    manifest: Manifest = SCALED[name]
    assert set(manifest) == {"apiVersion", "kind", "metadata", "spec"}
    assert set(manifest["spec"]) <= {
        *("scaleTargetRef", "pollingInterval", "cooldownPeriod", "minReplicaCount", "maxReplicaCount", "fallback"),
        *("advanced", "triggers"),
    }
    for trigger in manifest["spec"]["triggers"]:
        assert set(trigger) == {"type", "metricType", "metadata", "authenticationRef"}
        assert set(trigger["metadata"]) == {"query", "targetQueryValue"}
        # A fallback needs an average, and a number in quotes.
        assert (trigger["type"], trigger["metricType"]) == ("postgresql", "AverageValue")
        assert float(trigger["metadata"]["targetQueryValue"]) > 0
        assert trigger["authenticationRef"] == {"name": "ledger"}
    (source,) = of_kind(MANIFESTS, "TriggerAuthentication")["ledger"]["spec"]["secretTargetRef"]
    assert source == {"parameter": "connection", "name": "astegni-scaler", "key": "connection"}


def test_a_media_pod_is_added_for_as_many_jobs_as_it_has_children() -> None:
    for name in ("worker-spool", "worker-media"):
        (trigger,) = SCALED[name]["spec"]["triggers"]
        assert int(trigger["metadata"]["targetQueryValue"]) == Settings().worker_concurrency

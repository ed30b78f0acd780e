"""What is stored of an environment's recordings: in the spool, on B2, and what rows name of it."""

import time

from tests.chaos.harness.environment import Environment
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.routine_orders import SweepObjects, SweepSpool
from worker.storage.store import ObjectStore


def spooled(environment: Environment) -> list[str]:
    """Every file in the spool, half-received and work files included."""
    folder = environment.settings.spool_dir
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


def stored(environment: Environment) -> set[str]:
    """Every object of this environment's recordings (the bucket is shared by environments, ids of sessions are not)."""
    ids = {row["id"] for row in environment.watchdog.ask("SELECT id FROM whiteboard_sessions")}
    store = ObjectStore.from_settings(environment.settings)
    return {
        stored_object.name for job_id in ids for stored_object in store.list(f"videos/whiteboard/session_{job_id}/")
    }


def named(environment: Environment) -> set[str]:
    """Every object that a row names."""
    statement = "SELECT object_name FROM recording_renditions WHERE object_name IS NOT NULL"
    return {row["object_name"] for row in environment.watchdog.ask(statement)}


def sweep(environment: Environment) -> None:
    """Remove what nothing names, once it is old enough."""
    time.sleep(environment.settings.orphan_age + 0.2)
    with environment.database.transaction() as session:
        jobs = [enqueue(session, order) for order in (SweepObjects(), SweepSpool(environment.settings.spool_id))]
    assert set(environment.wait_until_finished(jobs).values()) == {"succeeded"}

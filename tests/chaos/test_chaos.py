"""Everything at once, for half a minute: what `make chaos` does for ten, with intervals ten times shorter."""

from devstack.directories import scratch_directory
from tests.chaos.harness.plan import FAULTS, make_plan
from tests.chaos.harness.recovery import Run, percentile, recoveries, runs_of
from tests.chaos.harness.session import as_table, carry_out
from tests.forking.forked_process import ForkServer

# All faults, and requests that are deleted, cancelled and deadly.
SEED = 11


def test_half_a_minute_of_chaos(fork_server: ForkServer) -> None:
    output: list[str] = []
    with scratch_directory() as root:
        plan = make_plan(SEED, seconds=30, jobs=45, quick=10)
        claims = carry_out(plan, root, output.append, start=fork_server.start)
    assert all(line.holds or line.timed for line in claims), "\n".join([*output, as_table(claims)])


def test_the_plan_follows_from_the_seed() -> None:
    plan = make_plan(1, seconds=600, jobs=500, quick=1)
    assert plan == make_plan(1, seconds=600, jobs=500, quick=1)
    assert plan != make_plan(2, seconds=600, jobs=500, quick=1)
    assert len(plan.requests) == 500
    assert {fault.name for fault in plan.faults} == FAULTS.keys()
    assert {request.what for request in plan.requests} == {"go", "trudge", "die", "record"}


def test_percentiles_are_values_that_occurred() -> None:
    assert percentile([], 0.99) == 0.0
    assert percentile([5.0], 0.5) == 5.0
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 99.0


def test_attempts_are_read_from_the_history() -> None:
    def change(at: float, before: str, after: str, token: str) -> dict[str, object]:
        return {"job_id": "j", "before": before, "after": after, "token": token, "worker": "h:7:x", "at": at}

    first, second = runs_of(
        [
            change(1, "queued", "published", ""),
            change(2, "published", "running", "a"),
            change(5, "running", "retryable", "a"),
            change(6, "retryable", "running", "b"),
        ]
    )
    assert (first.start, first.end, first.to) == (2, 5, "retryable")
    assert (second.start, second.end, second.to) == (6, None, None)


def test_outages_do_not_count_as_time_to_recover() -> None:
    runs = [Run("j", "h:7:x", 0.0, 50.0, "retryable"), Run("j", "h:8:y", 60.0, None, None)]
    kill = {"what": "fault", "fault": "kill_main", "at": 10.0, "main": 7, "pids": []}
    frozen = {"what": "fault", "fault": "freeze_broker", "at": 5.0, "seconds": 10.0}
    held = {"what": "fault", "fault": "hog", "at": 12.0, "seconds": 8.0, "jobs": ["j"]}
    others = {"what": "fault", "fault": "hog", "at": 30.0, "seconds": 8.0, "jobs": ["k"]}
    assert [recovery.seconds for recovery in recoveries(runs, [kill])] == [50.0]
    assert [recovery.seconds for recovery in recoveries(runs, [frozen, kill, held, others])] == [40.0]

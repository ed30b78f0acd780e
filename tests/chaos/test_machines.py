"""`make scale` for seconds: two machines instead of three, and little work. And what its figures mean."""

from devstack.directories import scratch_directory
from tests.chaos.harness.machines.session import carry_out_scale
from tests.chaos.harness.machines.turn import Fairness, Turn, fairness, together
from tests.chaos.harness.machines.tutors import Size, order_of_trial
from tests.chaos.harness.session import as_table
from tests.forking.forked_process import ForkServer
from tests.memory import memory_directory
from tests.waiting import TIMEOUT

SMALL = Size(tutors=2, recordings=1, times=4, quick_jobs=5, reminders=4)
EACH = (("default,reminders,media",), ("default,reminders,media",))


def test_a_lost_machine_loses_nothing_and_its_disk_brings_the_rest(fork_server: ForkServer) -> None:
    output: list[str] = []
    with scratch_directory(memory_directory()) as root:
        claims = carry_out_scale(
            SMALL, root, output.append, start=fork_server.start, seconds=TIMEOUT, workers=EACH, quick=10
        )
    judged = [claim for claim in claims if not claim.timed]
    assert all(claim.holds for claim in judged), "\n".join([*output, as_table(claims)])


def test_capacity_is_that_of_the_machines_processor_time() -> None:
    single = Turn(1, 100, 0, 50.0, {"api": 4.0, "worker": 6.0}, {"PostgreSQL": 2.0}, {})
    three = together(2 * [Turn(3, 100, 0, 35.0, {"api": 4.0, "worker": 8.0}, {"PostgreSQL": 2.5}, {1: [1.0]})])
    assert three == Turn(3, 200, 0, 70.0, {"api": 8.0, "worker": 16.0}, {"PostgreSQL": 5.0}, {1: [1.0, 1.0]})
    assert (single.per_job, single.shared_per_job, single.capacity) == (0.1, 0.02, 10.0)
    assert round(three.capacity / single.capacity, 6) == 2.5


def test_waits_are_compared_by_their_medians() -> None:
    waits = {1: [1.0, 9.0, 20.0], 2: [1.0, 3.0], 3: [0.5, 0.5, 60.0]}
    assert fairness(waits) == Fairness(busy=9.0, others=1.0, least=0.5, most=2.0)


def test_a_client_begins_with_its_own_api() -> None:
    assert [order_of_trial("ab", number) for number in (0, 1, 2)] == [["a", "b"], ["b", "a"], ["a", "b"]]

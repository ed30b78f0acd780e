"""Lanes in the ledger: at most half of a worker's children, small before large, and turns between people."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

import pytest

from tests.conftest import Sql
from tests.jobs.conftest import Ledger, SampleOrder
from worker.database import Database
from worker.jobs.heartbeats import HeartbeatWriter
from worker.jobs.orders.board_orders import ReplayBoard, SnapshotSession
from worker.jobs.orders.order import Order
from worker.jobs.orders.recording_orders import IngestRecording, StoreSource
from worker.jobs.publish import PublicationLease, publish
from worker.jobs.runs.claim import Claim, new_token
from worker.jobs.runs.lanes import claim_in_lane
from worker.jobs.runs.run_statements import end

LEASE = PublicationLease(20, 600)


@dataclass(frozen=True)
class Film(Order):
    """Work of a lane."""

    kind: ClassVar[str] = "tests.film"

    number: int = 0
    size: int = 0
    group: str = "films"

    @property
    def queue(self) -> str:
        return "media"

    @property
    def lane(self) -> str:
        return self.group

    @property
    def weight(self) -> int:
        return self.size


class LaneFixture:
    """The ledger, one publisher, and workers that exist by their heartbeats only."""

    def __init__(self, ledger: Ledger, sql: Sql) -> None:
        self.ledger = ledger
        self.database: Database = ledger.database
        self.sql = sql

    def add_worker(self, name: str, children: int) -> None:
        HeartbeatWriter(self.database, name, "consumer", interval=10, queues=("media",), children=children).beat()

    def order(self, person: str, *, size: int = 0, group: str = "films") -> UUID:
        return self.ledger.order(Film(size=size, group=group), principal=person)

    def publish(self) -> list[UUID]:
        sent: list[UUID] = []
        publish(self.database, lambda message: sent.append(message.job_id), LEASE)
        return sent

    def claim(self, job: UUID, *, worker: str = "w", children: int) -> Claim | str | None:
        with self.database.transaction() as session:
            return claim_in_lane(session, job, worker=worker, lease=30, children=children, token=new_token())

    def finish(self, claimed: Any) -> None:
        with self.database.transaction() as session:
            end(session, claimed.job_id, claimed.token, state="succeeded")

    def state(self, job: UUID) -> str:
        return str(self.ledger.job(job).state)


@pytest.fixture
def lanes(ledger: Ledger, sql: Sql) -> LaneFixture:
    return LaneFixture(ledger, sql)


@pytest.mark.parametrize(("children", "published"), [(1, 1), (2, 1), (3, 1), (4, 2), (9, 4)])
def test_half_of_the_children_is_published_for_one_lane(lanes: LaneFixture, children: int, published: int) -> None:
    lanes.add_worker("w", children)
    for _n in range(10):
        lanes.order("user:1")
    assert len(lanes.publish()) == published
    assert lanes.publish() == []


@pytest.mark.parametrize("age", ["1 h", "-1 h"], ids=["long-ago", "before-the-clock-was-set-back"])
def test_each_worker_adds_its_half(lanes: LaneFixture, age: str) -> None:
    for name in ("a", "b", "c"):
        lanes.add_worker(name, 2)
    lanes.sql("UPDATE heartbeats SET seen_at = now() - CAST(:age AS interval) WHERE process = 'c'", age=age)
    for _n in range(10):
        lanes.order("user:1")
    assert len(lanes.publish()) == 2


def test_without_a_living_worker_one_goes_out(lanes: LaneFixture) -> None:
    for _n in range(3):
        lanes.order("user:1")
    assert len(lanes.publish()) == 1


def test_other_lanes_and_work_outside_lanes_go_out_beside_a_flood(
    lanes: LaneFixture, sample_order: type[SampleOrder]
) -> None:
    lanes.add_worker("w", 2)
    for _n in range(50):
        lanes.order("user:1")
    lanes.publish()
    upload, quick = lanes.order("user:2", group="uploads"), lanes.ledger.order(sample_order())
    assert set(lanes.publish()) == {upload, quick}


def test_people_take_turns(lanes: LaneFixture) -> None:
    """Whoever asks for one thing comes before the second thing of somebody who asked for many, earlier."""
    lanes.add_worker("w", 2)
    first = [lanes.order("user:1") for _n in range(4)]
    second = [lanes.order("user:2") for _n in range(2)]
    third = lanes.order("user:3")
    done = []
    while sent := lanes.publish():
        assert len(sent) == 1
        lanes.finish(lanes.claim(sent[0], children=2))
        done += sent
    assert done == [first[0], second[0], third, first[1], second[1], first[2], first[3]]


def test_a_turn_counts_what_runs(lanes: LaneFixture) -> None:
    lanes.add_worker("w", 4)
    first = [lanes.order("user:1") for _n in range(4)]
    assert lanes.publish() == first[:2]
    runs = [lanes.claim(job, children=4) for job in first[:2]]
    other = lanes.order("user:2")
    lanes.finish(runs[0])
    assert lanes.publish() == [other]
    lanes.finish(runs[1])
    assert lanes.publish() == [first[2]]


def test_a_small_job_waits_for_no_large_one(lanes: LaneFixture) -> None:
    """Three long lessons and a short one of the same tutor, on two children."""
    lanes.add_worker("w", 2)
    long = [lanes.order("user:1", size=300_000_000) for _n in range(3)]
    (running,) = lanes.publish()
    assert running == long[0]
    assert isinstance(lanes.claim(running, children=2), Claim)
    short, other = lanes.order("user:1", size=9_000_000), lanes.order("user:1", size=8_000_000)
    assert lanes.publish() == [other]
    assert isinstance(lanes.claim(other, children=2), Claim)
    # It is not much smaller than the one that runs.
    assert lanes.publish() == []
    assert {lanes.state(job) for job in (*long[1:], short)} == {"queued"}


def test_what_is_published_too_much_is_given_back_at_claim(lanes: LaneFixture) -> None:
    """Two publishers may choose at the same moment, and a lane may span queues."""
    jobs = [lanes.order("user:1", size=size) for size in (100, 100, 10)]
    lanes.sql("UPDATE jobs SET state = 'published', publications = 1, lease_until = now() + interval '1 min'")
    running = lanes.claim(jobs[0], children=2)
    assert isinstance(running, Claim)
    assert lanes.claim(jobs[1], children=2) == "films"
    given_back = lanes.ledger.job(jobs[1])
    assert (given_back.state, given_back.attempt, given_back.publications) == ("queued", 0, 0)
    assert given_back.run_at <= given_back.created_at < given_back.publish_at
    # A doubled message finds nothing, and moves nothing.
    assert lanes.claim(jobs[1], children=2) is None
    # Another worker has room, and the small one has room beside the large.
    assert isinstance(lanes.claim(jobs[2], children=2), Claim)
    assert isinstance(lanes.claim(jobs[1], worker="other", children=2), Claim)


def test_children_that_claim_at_once_see_one_another(lanes: LaneFixture) -> None:
    jobs = [lanes.order("user:1") for _n in range(16)]
    lanes.sql("UPDATE jobs SET state = 'published', publications = 1, lease_until = now() + interval '1 min'")
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda job: lanes.claim(job, children=8), jobs))
    assert sum(isinstance(claimed, Claim) for claimed in claims) == 4
    assert claims.count("films") == 12


def test_cancelled_or_early_is_not_given_back(lanes: LaneFixture) -> None:
    job = lanes.order("user:1")
    lanes.sql("UPDATE jobs SET state = 'cancelled', finished_at = now()")
    assert lanes.claim(job, children=2) is None
    assert lanes.state(job) == "cancelled"


def test_what_takes_minutes_shares_a_lane() -> None:
    """Two kinds of it could hold both children of a small worker for as long as a film or a slow line takes."""
    orders = (
        StoreSource(1, 1, "shared", 5),
        SnapshotSession(1),
        ReplayBoard(1, "shared", shorten_idle=False, asked_by="user:1", recorded_by=1),
    )
    assert {order.lane for order in orders} == {"background"}
    ingest = IngestRecording(1, 1, "shared", 5)
    assert (ingest.lane, ingest.weight) == ("recordings.ingest", 5)


def test_a_flood_is_chosen_from_quickly(lanes: LaneFixture) -> None:
    """What waits is read once, not once for each that waits."""
    lanes.add_worker("w", 2)
    lanes.sql(
        "INSERT INTO jobs (kind, queue, lane, principal, args)"
        " SELECT 'tests.film', 'media', 'films', 'user:' || n % 50, '{}' FROM generate_series(1, 5000) n"
    )
    last = lanes.order("user:one", group="uploads")
    assert set(lanes.publish()) > {last}

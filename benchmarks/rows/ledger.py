"""The ledger's steps on one database: order, relay, claim, end, reaper."""

from collections.abc import Sequence
from uuid import UUID

from benchmarks.peers.noop_order import Noop
from benchmarks.rows.side import Side, Took, milliseconds
from worker.jobs.enqueue import enqueue
from worker.jobs.job_message import JobMessage
from worker.jobs.orders.order import Order
from worker.jobs.orders.recording_orders import StoreSource
from worker.jobs.publish import PublicationLease, publish
from worker.jobs.reaper import reap
from worker.jobs.runs.claim import Claim, claim
from worker.jobs.runs.job_run import JobRun
from worker.jobs.runs.run_lease import LeaseTiming
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS

_BATCH, _LOOKS = 100, 5
_PEOPLE = 20
_LEASE, _EXPIRED = 600.0, -1.0
_TIMING = LeaseTiming(lease=_LEASE, renewal=10.0, heartbeat=2.0)


def measure_claims(side: Side) -> Took:
    """Order jobs, publish, claim and end them; and look for due ones when there are none."""
    ids: list[UUID] = []
    claims: list[Claim] = []
    ordering = milliseconds(lambda: ids.append(_order(side, Noop())), times=_BATCH)
    relaying = milliseconds(lambda: _publish(side))
    waiting, running = iter(ids), iter(claims)
    claiming = milliseconds(lambda: claims.append(_claim(side, next(waiting))), times=_BATCH)
    ending = milliseconds(lambda: JobRun(side.database, next(running), _TIMING).succeed(), times=_BATCH)
    return {
        "order a job": ordering,
        f"relay: publish {_BATCH} due jobs": relaying,
        "relay: look, nothing is due": milliseconds(lambda: _publish(side), times=_LOOKS),
        "claim a job": claiming,
        "end a job": ending,
    }


def measure_lanes(side: Side) -> Took:
    """The relay while jobs of many people wait for one lane, of which few may run."""
    ids = [
        _order(side, StoreSource(number, 1, "shared", number), f"user:{1 + number % _PEOPLE}")
        for number in range(_BATCH)
    ]
    took = milliseconds(lambda: _publish(side), times=_LOOKS)
    _forget(side, ids)
    return {f"relay: look, {_BATCH} jobs wait for a full lane": took}


def measure_reaper(side: Side) -> Took:
    """Take back jobs whose lease has expired, half of them running; and look when there are none."""
    ids = [_order(side, Noop(number)) for number in range(_BATCH)]
    _publish(side, lease=_EXPIRED)
    for job_id in ids[::2]:
        _claim(side, job_id, lease=_EXPIRED)
    reaping = milliseconds(lambda: reap(side.database, FAILURE_HOOKS, most=_BATCH))
    looking = milliseconds(lambda: reap(side.database, FAILURE_HOOKS, most=_BATCH), times=_LOOKS)
    _forget(side, ids)
    return {f"reaper: settle {_BATCH} expired leases": reaping, "reaper: look, none has expired": looking}


def _order(side: Side, order: Order, principal: str = "system") -> UUID:
    with side.database.transaction() as session:
        return enqueue(session, order, principal=principal)


def _publish(side: Side, *, lease: float = _LEASE) -> int:
    return publish(side.database, _send, PublicationLease(first=lease, longest=lease), most=_BATCH)


def _send(_message: JobMessage) -> None:
    """The broker is not measured."""


def _claim(side: Side, job_id: UUID, *, lease: float = _LEASE) -> Claim:
    with side.database.statement() as statement:
        claimed = claim(statement, job_id, worker="figures", lease=lease)
    assert claimed is not None
    return claimed


def _forget(side: Side, ids: Sequence[UUID]) -> None:
    side.connection.execute("DELETE FROM jobs WHERE id = ANY(%s)", [list(ids)])

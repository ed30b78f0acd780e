"""The spools of an installation's machines: their upkeep, and those whose bytes no worker can reach."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from worker.jobs.heartbeats import read_process_metrics
from worker.jobs.orders.order import Order
from worker.jobs.orders.routine_orders import SpoolOrder
from worker.queue_names import spool_queue
from worker.recordings.source import count_spooled
from worker.uploads.upload_upkeep import count_open_uploads


@dataclass(frozen=True)
class SpoolUse:
    """What exists only in this spool: the numbers of recordings, and of uploads that are not recordings yet."""

    spool_id: str
    recordings: int
    uploads: int


def used_spools(session: Session) -> list[SpoolUse]:
    """The spools with bytes that exist nowhere else, ordered by name."""
    recordings, uploads = count_spooled(session), count_open_uploads(session)
    names = sorted(recordings.keys() | uploads.keys())
    return [SpoolUse(name, recordings.get(name, 0), uploads.get(name, 0)) for name in names]


def orders_of_tick(session: Session, order: Order) -> Sequence[Order]:
    """What one entry of beat's timetable orders: upkeep is ordered for each spool in use, so that one beat is enough.

    A spool that is not in use is left to the beat configured for it: it holds debris at most.
    """
    if not isinstance(order, SpoolOrder):
        return [order]
    others = [use.spool_id for use in used_spools(session) if use.spool_id != order.spool_id]
    return [order, *(replace(order, spool_id=name) for name in others)]


def unreachable_spools(session: Session, *, interval: float) -> list[str]:
    """A sentence for each spool in use whose queue no worker consumes; `interval` is the heartbeat interval.

    Its jobs wait until a worker on its machine is back, and do not delay others.
    """
    consumers = read_process_metrics(session, interval=interval).consumers
    return [
        f"the spool {use.spool_id} has bytes that are nowhere else (recordings: {use.recordings}, open uploads: "
        f"{use.uploads}), and no worker consumes its queue {spool_queue(use.spool_id)}"
        for use in used_spools(session)
        if not consumers.get(spool_queue(use.spool_id))
    ]

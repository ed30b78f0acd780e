"""What beat orders, and how often."""

from typing import Any

from worker.jobs.orders.board_orders import SnapshotChanged
from worker.jobs.orders.routine_orders import (
    AdvanceLessons,
    CheckQueue,
    FillSeries,
    PruneLedger,
    PullPlatform,
    SealUploads,
    SendOverdue,
    SweepObjects,
    SweepPeople,
    SweepSpool,
)
from worker.queue_names import queue_names
from worker.settings import Settings


def timetable(settings: Settings) -> dict[str, dict[str, Any]]:
    """The beat timetable: each entry inserts one order unless a job with the same unique key is live."""

    def every(seconds: float, *orders: Any) -> dict[str, dict[str, Any]]:
        return {
            order.unique_key: {
                # worker/processes/beat.py reads this entry; no message carries it.
                "task": order.kind,
                "schedule": seconds,
                "args": (order.args(),),
            }
            for order in orders
        }

    platform = {**every(60, PullPlatform()), **every(600, SweepPeople())} if settings.platform_database_url else {}
    return {
        **platform,
        **every(30, AdvanceLessons(), SendOverdue()),
        **every(settings.queue_check_interval, *map(CheckQueue, queue_names(settings))),
        **every(60, SealUploads(settings.spool_id)),
        **every(settings.snapshot_interval, SnapshotChanged()),
        **every(3600, FillSeries(), PruneLedger(), SweepSpool(settings.spool_id)),
        **every(6 * 3600, SweepObjects()),
    }

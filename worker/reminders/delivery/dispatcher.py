"""The dispatcher: claims due deliveries and passes them on in batches, no more at a time than can be sent."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from worker.database import Database
from worker.reminders.delivery.claim import claim, release, seconds_until_due, under_way
from worker.reminders.delivery.partitions import BATCH, batch_size, batches, batches_at_once

# Seconds between two checks while batches are in progress.
_BUSY = 0.05
# The dispatcher stops waiting for a batch after this many seconds, or after its lease if that is shorter. A sender
# finishes earlier unless it was killed.
_LONGEST_BATCH = 20.0

# Passes a batch to a sender: its lane, the ids, and the token of their claim. Raises when it cannot.
HandOver = Callable[[str, Sequence[int], UUID], None]


@dataclass(frozen=True)
class _Batch:
    ids: frozenset[int]
    forgotten_at: float


class Dispatcher:
    """One of any number of dispatchers: SKIP LOCKED divides the rows among them. Not thread-safe."""

    def __init__(
        self, database: Database, hand_over: HandOver, *, children: int, interval: float, lease: float
    ) -> None:
        self._database = database
        self._hand_over = hand_over
        self._interval = interval
        self._lease = lease
        self._at_once = batches_at_once(children)
        self._on_the_way: dict[str, list[_Batch]] = {lane: [] for lane in BATCH}

    def dispatch(self) -> float:
        """Claim and pass on what is due; return the seconds until the next check, at most the interval.

        A batch that cannot be passed on is released, and the error raised.
        """
        self._look_after()
        with self._database.statement() as statement:
            until_due = seconds_until_due(statement)
        if until_due is not None and until_due <= 0:
            for lane in self._on_the_way:
                self._fill(lane, lost=True)
                self._fill(lane, lost=False)
            return _BUSY if any(self._on_the_way.values()) else self._interval
        pause = self._interval if until_due is None else min(self._interval, until_due)
        return min(pause, _BUSY) if any(self._on_the_way.values()) else pause

    def _look_after(self) -> None:
        """Forget batches without any claimed delivery, and those that were waited for long enough: they are lost."""
        waited_for = {
            delivery_id
            for batches_of_lane in self._on_the_way.values()
            for batch in batches_of_lane
            for delivery_id in batch.ids
        }
        if not waited_for:
            return
        with self._database.statement() as statement:
            in_hand = under_way(statement, waited_for)
        now = time.monotonic()
        for lane, batches_of_lane in self._on_the_way.items():
            self._on_the_way[lane] = [
                batch for batch in batches_of_lane if batch.ids & in_hand and now < batch.forgotten_at
            ]

    def _fill(self, lane: str, *, lost: bool) -> None:
        """Pass on as many batches as there is room for."""
        room = self._at_once - len(self._on_the_way[lane])
        if room <= 0:
            return
        token, size = uuid4(), batch_size(lane, lost=lost)
        with self._database.statement() as statement:
            claimed = claim(statement, lane, lost=lost, token=token, most=room * size, lease=self._lease)
        waiting = batches(claimed, size)
        while waiting:
            try:
                self._hand_over(lane, waiting[0], token)
            except Exception:
                # Whatever the cause: claimed deliveries that no child has would wait for their lease to expire.
                unsent = [delivery_id for ids in waiting for delivery_id in ids]
                with self._database.statement() as statement:
                    release(statement, unsent, token, charged=False)
                raise
            ids = waiting.pop(0)
            forgotten_at = time.monotonic() + min(self._lease, _LONGEST_BATCH)
            self._on_the_way[lane].append(_Batch(frozenset(ids), forgotten_at))

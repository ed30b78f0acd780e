"""The queries of `astegni reminders`: short transactions, directly in PostgreSQL."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from worker import clock
from worker.cli.target import settings_of_stack
from worker.database import Database
from worker.reminders.delivery.due import DueDelivery, list_due
from worker.reminders.delivery.test_messages import Outcome, order_test, outcome_of

_LOOK_EVERY = 0.2


@dataclass(frozen=True)
class ChannelTrial:
    """The outcome of a test message after `seconds`."""

    delivery_id: int
    outcome: Outcome
    seconds: float


def due_within(span: timedelta, *, most: int) -> list[DueDelivery]:
    """The deliveries due between now and `span` from now."""
    with _database() as database, database.transaction() as session:
        return list_due(session, until=clock.now() + span, most=most)


def document(due: DueDelivery) -> dict[str, Any]:
    """The delivery as a JSON object."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(due).items()}


def try_channel(user_id: int, channel: str, wait: timedelta) -> ChannelTrial:
    """Enqueue a test message and wait at most `wait` for its outcome. Raises NotFound, InvalidInput."""
    with _database() as database:
        began = time.monotonic()
        with database.transaction() as session:
            delivery_id = order_test(session, user_id, channel, now=clock.now(), good_for=wait)
        while True:
            with database.transaction() as session:
                outcome = outcome_of(session, delivery_id)
            seconds = time.monotonic() - began
            if outcome.is_over or seconds > wait.total_seconds():
                return ChannelTrial(delivery_id, outcome, seconds)
            time.sleep(_LOOK_EVERY)


@contextmanager
def _database() -> Iterator[Database]:
    database = Database(settings_of_stack().sqlalchemy_url, pool_size=1, max_overflow=0)
    try:
        yield database
    finally:
        database.close()

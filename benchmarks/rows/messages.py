"""The dispatcher on one database: reminders that are due, and none."""

from collections.abc import Sequence
from uuid import UUID

from benchmarks.rows.side import Side, Took, milliseconds
from worker.reminders.delivery.dispatcher import Dispatcher
from worker.reminders.delivery.mark import mark_sent

_LOOKS = 5
# The smallest history has as many to come.
_LESSONS = 150
# Two for each lesson, whose other reminders are planned already.
_PLAN = """
    INSERT INTO deliveries (kind, user_id, channel, schedule_id, minutes_before, starts_at, key, due_at, expires_at)
    SELECT 'lesson-reminder', tutor_id, channel, id, 60, starts_at, 'figures:' || gen_random_uuid(),
           now() - interval '1 s', starts_at
      FROM (SELECT * FROM tutor_schedules WHERE starts_at > now() + interval '1 day' ORDER BY id LIMIT %s) AS lesson,
           unnest(ARRAY['email', 'in_app']) AS channel
"""

_Batch = tuple[Sequence[int], UUID]


def measure_dispatcher(side: Side) -> Took:
    """Dispatch what is due, each batch sent at once; then look when nothing is due."""
    due = side.connection.execute(_PLAN, [_LESSONS]).rowcount
    passed_on: list[_Batch] = []
    dispatcher = Dispatcher(
        side.database, lambda _lane, ids, token: passed_on.append((ids, token)), children=2, interval=5.0, lease=60.0
    )
    passes: list[float] = []
    while due:
        passes += milliseconds(dispatcher.dispatch)
        due -= sum(_send(side, batch) for batch in passed_on)
        passed_on.clear()
    return {
        f"dispatcher: all passes for {2 * _LESSONS} due messages": [sum(passes)],
        "dispatcher: look, nothing is due": milliseconds(dispatcher.dispatch, times=_LOOKS),
    }


def _send(side: Side, batch: _Batch) -> int:
    ids, token = batch
    with side.database.statement() as statement:
        return len(mark_sent(statement, ids, token))

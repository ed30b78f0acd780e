"""How late messages are sent: thousands due at once, a hundred per second, and single ones on an idle worker."""

import random
import time
from typing import Any

import psycopg

from benchmarks.harness.figure import Figure, Limit, Reading, median, percentile
from benchmarks.harness.scale import Scale
from benchmarks.material.bare_stack import running_bare_stack
from benchmarks.material.full_stack import wait_for
from benchmarks.messages.due import MailSink, forget, mail_sink, make_lessons, plan, reminders_worker

_RATE = 100
# Seconds until the first message is due, longer than planning takes.
_AHEAD = 3.0
# Seconds between single ones: fixed for planned ones, random for others; not a multiple of the dispatcher's interval.
_GAP = 1.37
_GAPS = (1.0, 2.0)
_WARM_UP = 100
_UNSENT = "SELECT 1 FROM deliveries WHERE state IN ('pending', 'sending') LIMIT 1"
_STATES = "SELECT DISTINCT state FROM deliveries"
_LATE = "SELECT channel, extract(epoch FROM sent_at - due_at)::float FROM deliveries"

# Seconds that each message was late, by channel.
_Lateness = list[tuple[str, float]]


def measure_reminders(scale: Scale) -> Figure:
    """Measure lateness from the rows: `sent_at` minus `due_at`."""
    figure = Figure("Reminders: how late they go out, half by mail, half in the app; one worker, 2 children")
    with (
        running_bare_stack() as bare_stack,
        mail_sink(bare_stack.folder) as sink,
        bare_stack.connect() as connection,
    ):
        make_lessons(connection, max(scale.reminders, _RATE * scale.reminder_seconds, _WARM_UP))
        with reminders_worker(bare_stack, sink):
            plan(connection, "warm", _WARM_UP)
            _sent(connection, sink)
            figure.readings += _burst(connection, sink, scale.reminders)
            figure.readings += _stream(connection, sink, scale.reminder_seconds)
            figure.readings += _idle(connection, sink, scale.single_reminders)
    figure.notes.append(
        "Every message is a reminder of its own lesson, which is read, composed and checked again when it is sent; "
        "`sent_at` is the beginning of the transaction that records it. The mail server is a separate process "
        "that stores only Message-IDs. It received each mail once, and every row is `sent`."
    )
    return figure


def _burst(connection: psycopg.Connection[Any], sink: MailSink, count: int) -> list[Reading]:
    plan(connection, "burst", count, begin=_AHEAD)
    late = _sent(connection, sink)
    took = max(_of(late))
    return [
        Reading(f"{count:,} due at the same moment: until all are sent", took, "s", limit=_less_than(60)),
        Reading("until those in the app are sent", max(_of(late, "in_app")), "s"),
        Reading("lateness, p50", median(_of(late)), "s"),
        Reading("sent", count / took, "/s"),
    ]


def _stream(connection: psycopg.Connection[Any], sink: MailSink, seconds: int) -> list[Reading]:
    plan(connection, "stream", _RATE * seconds, begin=_AHEAD, gap=1 / _RATE)
    late = _sent(connection, sink)
    return [
        Reading(
            f"{_RATE} a second for {seconds} s: lateness, p99", percentile(_of(late), 99), "s", limit=_less_than(5)
        ),
        Reading("the same, p50", median(_of(late)), "s"),
    ]


def _idle(connection: psycopg.Connection[Any], sink: MailSink, count: int) -> list[Reading]:
    """Measure messages planned in advance, like reminders, and messages inserted when due, like announcements."""
    plan(connection, "planned", count, begin=_AHEAD, gap=_GAP)
    planned = _of(_sent(connection, sink))
    dice = random.Random(11)
    for number in range(count):
        plan(connection, "news", 1, first=number)
        time.sleep(dice.uniform(*_GAPS))
    news = _of(_sent(connection, sink))
    return [
        Reading(f"idle, {count} planned ahead: lateness, p50", median(planned), "s", limit=_less_than(1)),
        Reading("the same, most", max(planned), "s"),
        Reading(f"idle, {count} due when written: lateness, p50", median(news), "s", limit=_less_than(1)),
        Reading("the same, most", max(news), "s"),
    ]


def _sent(connection: psycopg.Connection[Any], sink: MailSink) -> _Lateness:
    """Wait until all are sent, delete them, and return how late each was."""
    wait_for(lambda: connection.execute(_UNSENT).fetchone() is None, pause=0.2)
    assert connection.execute(_STATES).fetchall() == [("sent",)]
    late = [(channel, seconds) for channel, seconds in connection.execute(_LATE)]
    sink.take(len(_of(late, "email")))
    forget(connection)
    return late


def _of(late: _Lateness, *channels: str) -> list[float]:
    return [seconds for channel, seconds in late if not channels or channel in channels]


def _less_than(seconds: float) -> Limit:
    return Limit("value", "<", seconds)

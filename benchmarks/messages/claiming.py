"""Claiming due messages batch by batch, beside the bare `UPDATE … RETURNING` of rows with known ids."""

import time
from typing import Any
from uuid import uuid4

import psycopg

from benchmarks.harness.figure import Figure, Limit, Reading
from benchmarks.harness.scale import Scale
from benchmarks.material.bare_stack import running_bare_stack
from benchmarks.messages.due import forget, make_lessons, plan
from worker.database import Database
from worker.reminders.delivery.claim import claim
from worker.reminders.delivery.partitions import BATCH

_LANES = ("in_app", "email")
_LEASE = 60.0
_BARE = """
    UPDATE deliveries
       SET state = 'sending', send_token = %s, lease_until = now() + make_interval(secs => %s), updated_at = now()
     WHERE id = ANY(%s) RETURNING id, due_at
"""
_HOLD = """
    UPDATE deliveries SET state = 'sending', send_token = %s, lease_until = now() + interval '10 min' WHERE id > %s
"""
_SETTLE = "UPDATE deliveries SET state = 'sent', sent_at = now(), updated_at = now() WHERE id = ANY(%s)"


def measure_reminders_claiming(scale: Scale) -> Figure:
    """Measure `claim` in batches of the dispatcher's size, in turns with the bare statement over the same batches."""
    figure = Figure(f"Reminders: {scale.reminders:,} that are due, claimed in batches of {BATCH['in_app']} and less")
    with running_bare_stack() as bare_stack, bare_stack.connect() as connection:
        make_lessons(connection, 2 * scale.reminders)
        database = Database(bare_stack.settings.sqlalchemy_url, pool_size=1)
        try:
            figure.readings += _measure(database, connection, scale, held=0)
            figure.readings += _measure(database, connection, scale, held=scale.reminders)
        finally:
            database.close()
    figure.notes.append(
        f"Lane after lane, {BATCH['in_app']} in the app, {BATCH['email']} by mail, each claim a transaction; the bare "
        "statement gets the ids of the same batches. Claimed messages are settled before the next claim, outside the "
        "measured time. The two take turns, each on new rows after a checkpoint; the first turn is not counted. "
        "Messages that others hold were due before, and have the same channels."
    )
    return figure


def _measure(database: Database, connection: psycopg.Connection[Any], scale: Scale, *, held: int) -> list[Reading]:
    """Measure while other processes hold claims on that many more messages."""
    ours: list[float] = []
    bare: list[float] = []
    for turn in range(scale.series_repeats + 1):
        _plan(connection, scale.reminders, held)
        took, claimed = _claim_all(database, connection)
        assert sum(map(len, claimed)) == scale.reminders
        _plan(connection, scale.reminders, held)
        took_bare = _update_all(connection, claimed)
        if turn:
            ours.append(scale.reminders / took)
            bare.append(scale.reminders / took_bare)
    name, among = "bare UPDATE … RETURNING", f", {held:,} in other hands" if held else ""
    limit = Limit("ratio", "≥", 0.5)
    return [
        Reading.of(f"claimed{among}", ours, "/s", bare, name, limit),
        Reading.of(f"{name}{among}", bare, "/s"),
    ]


def _plan(connection: psycopg.Connection[Any], count: int, held: int) -> None:
    """Insert the same rows with the same ids every time."""
    forget(connection)
    plan(connection, "due", count, begin=-1.0)
    plan(connection, "held", held, first=count, begin=-2.0)
    connection.execute(_HOLD, [uuid4(), count])
    connection.execute("VACUUM ANALYZE deliveries")
    connection.execute("CHECKPOINT")


def _claim_all(database: Database, connection: psycopg.Connection[Any]) -> tuple[float, list[list[int]]]:
    """Claim all; returns the seconds it took, and the batches."""
    took, claimed = 0.0, list[list[int]]()
    lanes = list(_LANES)
    while lanes:
        for lane in tuple(lanes):
            began = time.perf_counter()
            with database.statement() as statement:
                ids = claim(statement, lane, lost=False, token=uuid4(), most=BATCH[lane], lease=_LEASE)
            took += time.perf_counter() - began
            if not ids:
                lanes.remove(lane)
                continue
            claimed.append(ids)
            connection.execute(_SETTLE, [ids])
    return took, claimed


def _update_all(connection: psycopg.Connection[Any], batches: list[list[int]]) -> float:
    took = 0.0
    for ids in batches:
        began = time.perf_counter()
        rows = connection.execute(_BARE, [uuid4(), _LEASE, ids]).fetchall()
        took += time.perf_counter() - began
        assert len(rows) == len(ids)
        connection.execute(_SETTLE, [ids])
    return took

"""How many strokes the API stores, beside a bare INSERT of the same rows."""

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Json

from benchmarks.harness.figure import Figure, Limit, Reading
from benchmarks.harness.scale import Scale
from benchmarks.material.boards import handwriting
from benchmarks.material.full_stack import FullStack, running_full_stack
from benchmarks.material.sending import Client

_BATCH, _POINTS, _CLIENTS = 100, 30, 4
_LIMIT = Limit("value", "≥", 5000.0)
_COLUMNS = "page_id, session_id, stroke_type, stroke_data, stroke_order, client_id"
_INSERT = f"INSERT INTO whiteboard_canvas_data ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s)"  # noqa: S608 - our own words
_COPY = f"COPY whiteboard_canvas_data ({_COLUMNS}) FROM STDIN"

Batch = list[dict[str, Any]]


def measure_strokes(scale: Scale) -> Figure:
    """Measure one client, several on separate pages, and as many on one page; each turn uses new pages."""
    figure = Figure(f"API: strokes stored in a second, {_POINTS} points each, {_BATCH} in a request")
    batches = [stroke_batch(number) for number in range(scale.stroke_batches)]
    bodies = [json.dumps({"strokes": batch}).encode() for batch in batches]
    rates: dict[str, list[float]] = {name: [] for name in ("one", "apart", "together", "insert", "copy")}
    with running_full_stack() as full_stack, full_stack.tutor() as tutor, full_stack.connect() as connection:
        session_id = full_stack.open_lesson(tutor)

        def page() -> int:
            return int(tutor.post(f"/v1/whiteboard/sessions/{session_id}/pages", {})["id"])

        _draw(full_stack, [page()], bodies, 1)  # a warm-up of every process; not counted
        for _repeat in range(scale.stroke_repeats):
            rates["one"].append(_draw(full_stack, [page()], bodies, 1))
            rates["insert"].append(_bare(connection, session_id, page(), batches, _insert))
            rates["apart"].append(_draw(full_stack, [page() for _ in range(_CLIENTS)], bodies, _CLIENTS))
            rates["copy"].append(_bare(connection, session_id, page(), batches, _copy))
            rates["together"].append(_draw(full_stack, [page()], bodies, _CLIENTS))
    insert, copy = "bare psycopg: `executemany`, one commit a batch", "bare psycopg: COPY, one commit a batch"
    figure.readings += [
        Reading.of("one client", rates["one"], "/s", rates["insert"], insert, _LIMIT),
        Reading.of("one client", rates["one"], "/s", rates["copy"], copy),
        Reading.of(f"{_CLIENTS} clients, each on a page", rates["apart"], "/s", rates["insert"], insert, _LIMIT),
        Reading.of(f"{_CLIENTS} clients on one page", rates["together"], "/s", rates["insert"], insert, _LIMIT),
    ]
    figure.notes.append(
        f"{scale.stroke_batches * _BATCH:,} strokes a turn. The clients run on the same cores, with prepared "
        "requests. Ours checks token, session, rights and every point, and assigns and returns each stroke's number; "
        "the peer has the rows and their numbers ready, and one connection."
    )
    return figure


def stroke_batch(number: int) -> Batch:
    """The strokes of one request: the same for the same number, unlike those of others."""
    chance = Random(number)
    return [
        {
            "client_id": str(UUID(int=chance.getrandbits(128), version=4)),
            "stroke_type": "pen",
            "stroke_data": {"points": handwriting(chance, _POINTS), "color": "#1d4ed8", "width": 3},
            "started_at": "2026-01-31T14:00:00.123+03:00",
            "ended_at": "2026-01-31T14:00:00.873+03:00",
        }
        for _stroke in range(_BATCH)
    ]


def _draw(full_stack: FullStack, pages: Sequence[int], bodies: Sequence[bytes], clients: int) -> float:
    """Strokes per second: the clients share the batches and alternate between the pages."""

    def visit(number: int) -> None:
        path = f"/v1/whiteboard/pages/{pages[number % len(pages)]}/strokes"
        with full_stack.tutor() as client:
            for body in bodies[number::clients]:
                _accepted(client, path, body)

    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(visit, range(clients)))
    return len(bodies) * _BATCH / (time.perf_counter() - began)


def _accepted(client: Client, path: str, body: bytes) -> None:
    sent = client.request("POST", path, body)
    if sent.status != 200 or len(sent.body["strokes"]) != _BATCH:
        raise RuntimeError(f"answered {sent.status}: {sent.body}")


Row = tuple[int, int, str, Json, int, str]
Write = Callable[[psycopg.Cursor[Any], Sequence[Row]], None]


def _bare(
    connection: psycopg.Connection[Any], session_id: int, page_id: int, batches: Sequence[Batch], write: Write
) -> float:
    began = time.perf_counter()
    for number, batch in enumerate(batches):
        rows = [
            (page_id, session_id, stroke["stroke_type"], Json(stroke["stroke_data"]), order, stroke["client_id"])
            for order, stroke in enumerate(batch, start=number * _BATCH + 1)
        ]
        with connection.transaction(), connection.cursor() as cursor:
            write(cursor, rows)
    return len(batches) * _BATCH / (time.perf_counter() - began)


def _insert(cursor: psycopg.Cursor[Any], rows: Sequence[Row]) -> None:
    cursor.executemany(_INSERT, rows)


def _copy(cursor: psycopg.Cursor[Any], rows: Sequence[Row]) -> None:
    with cursor.copy(_COPY) as copy:
        for row in rows:
            copy.write_row(row)

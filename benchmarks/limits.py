"""What limits add to a request, and how long one request, or a thousand incomplete ones, delay all others."""

import contextlib
import itertools
import json
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from urllib.parse import urlsplit

from benchmarks.harness.figure import Figure, Limit, Reading, percentile
from benchmarks.harness.scale import Scale
from benchmarks.material.full_stack import FullStack, running_full_stack, second_api
from benchmarks.material.sending import Client
from worker.access.issue_token import issue_token
from worker.api.http.connection_bounds import raise_descriptors
from worker.settings import Settings

_COST = Limit("ratio", "≤", 1.03)
_STALL = Limit("value", "≤", 50.0)
_PEOPLE = 100
_HALVES = 1000


def measure_limits(scale: Scale) -> Figure:
    """Measure two APIs on one database: one with the default limits, one without limits."""
    figure = Figure("API: what limits cost, and how long others wait for hostile requests")
    with running_full_stack() as full_stack, second_api(full_stack, **_default_limits()) as (limited, _process_id):
        _measure_cost(figure, full_stack, limited, scale)
        with Client(full_stack.address, full_stack.tutor_token) as tutor:
            page = tutor.get(f"/v1/whiteboard/sessions/{full_stack.open_lesson(tutor)}")["pages"][0]["id"]
        for what, path, body in _hostile(page):
            # Without a rate limit, so that the API reads requests that it would otherwise refuse.
            worst = _longest_wait(full_stack.address, partial(_send, full_stack, path, body))
            figure.readings.append(Reading(f"/healthz beside {what}, slowest", worst, "ms", limit=_STALL))
        with _half_requests(limited):
            waits = _healthz(limited, 50)
        name = f"/healthz beside {_HALVES} half-sent headers, slowest of 50"
        figure.readings.append(Reading(name, max(waits), "ms", (min(waits), max(waits))))
    figure.notes.append(
        f"Cost: {_PEOPLE} people in turn, each request to the one API and then to the other. Waits: /healthz is "
        "requested continuously on a separate connection while the body is sent and answered; the clients share the "
        "cores."
    )
    return figure


def _measure_cost(figure: Figure, full_stack: FullStack, limited: str, scale: Scale) -> None:
    tokens = _tokens(full_stack)
    took: dict[str, list[float]] = {limited: [], full_stack.address: []}
    with contextlib.ExitStack() as opened:
        clients = {
            address: [opened.enter_context(Client(address, token)) for token in tokens[:_PEOPLE]] for address in took
        }
        # At most fifty for each person, far below their limit.
        for number in range(_PEOPLE + min(10 * scale.requests, 50 * _PEOPLE)):
            for address in took if number % 2 else reversed(took):
                began = time.perf_counter()
                clients[address][number % _PEOPLE].get("/v1/me/notification-preferences")
                if number >= _PEOPLE:
                    took[address].append((time.perf_counter() - began) * 1000)
    for what, read in (("median", statistics.median), ("p95", lambda waits: percentile(waits, 95))):
        ours, peer = read(took[limited]), read(took[full_stack.address])
        limit = _COST if what == "median" else None
        figure.readings.append(Reading(f"GET with limits, {what}", ours, "ms", None, peer, "without limits", limit))


def _tokens(full_stack: FullStack) -> list[str]:
    with full_stack.connect() as connection:
        rows = connection.execute(
            "INSERT INTO users (first_name, email) SELECT 'Person ' || n, n || '@example.org' "
            "FROM generate_series(1, %s) n RETURNING id",
            [_PEOPLE],
        ).fetchall()
    return [issue_token(full_stack.stack.settings.signing_key, sub=row[0]) for row in rows]


def _default_limits() -> dict[str, object]:
    return {name: field.default for name, field in Settings.model_fields.items() if name.startswith("limit_")}


def _hostile(page: int) -> list[tuple[str, str, bytes]]:
    strokes = f"/v1/whiteboard/pages/{page}/strokes"
    names = json.dumps({f"{number:x}": 0 for number in range(150_000)}).encode()
    points = json.dumps([[n % 997 + 0.5, n % 499 + 0.25] for n in range(10_000)])
    batch = ",".join(
        f'{{"client_id": "c{n}", "stroke_type": "pen", "stroke_data": {{"points": {points}}}}}' for n in range(11)
    )
    return [
        ("150,000 unknown keys to /v1/bookings", "/v1/bookings", names),
        (
            "6,000 unknown keys to /v1/bookings",
            "/v1/bookings",
            json.dumps(dict.fromkeys(map(str, range(6000)))).encode(),
        ),
        ("150,000 unknown keys as strokes", strokes, names),
        ("2 MB of strokes that are stored", strokes, f'{{"strokes": [{batch}]}}'.encode()),
        ("2 MB of empty lists as strokes", strokes, b'{"strokes": [{"a": [' + b"[]," * 600_000 + b"[]]}]}"),
        ("2 MB of open brackets as strokes", strokes, b"[" * 1_900_000),
        ("2 MB of one number as strokes", strokes, b'{"strokes": [' + b"9" * 1_900_000 + b"]}"),
    ]


def _send(full_stack: FullStack, path: str, body: bytes) -> None:
    with contextlib.suppress(OSError), full_stack.tutor() as client:
        client.request("POST", path, body)


def _longest_wait(address: str, do: Callable[[], None]) -> float:
    """The slowest response of /healthz while `do` is done three times, in milliseconds."""
    done = threading.Event()

    def work() -> None:
        for _ in range(3):
            do()
        done.set()

    threading.Thread(target=work).start()
    waits: list[float] = []
    with Client(address) as client:
        for _ in itertools.takewhile(lambda _: not done.is_set() or not waits, itertools.count()):
            began = time.perf_counter()
            client.get("/healthz")
            waits.append((time.perf_counter() - began) * 1000)
    return max(waits)


def _healthz(address: str, times: int) -> list[float]:
    waits: list[float] = []
    for _ in range(times):
        with Client(address) as client:
            began = time.perf_counter()
            client.get("/healthz")
            waits.append((time.perf_counter() - began) * 1000)
    return waits


@contextmanager
def _half_requests(address: str) -> Iterator[None]:
    """A thousand connections that have sent half of a header."""
    raise_descriptors()
    parts = urlsplit(address)
    with contextlib.ExitStack() as opened:
        for _ in range(_HALVES):
            connection = opened.enter_context(socket.create_connection((parts.hostname or "", parts.port or 80)))
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost:")
        yield

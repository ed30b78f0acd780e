"""Memory for the largest boards within the limits: reading them, drawing their pictures, document and film."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from random import Random
from typing import Any

from benchmarks.harness.figure import Figure, Limit, Reading
from benchmarks.harness.scale import Scale
from benchmarks.harness.watching_memory import MemoryWatch, reset_peaks
from benchmarks.material.boards import handwriting
from benchmarks.material.full_stack import FullStack, running_full_stack
from benchmarks.material.sending import Client
from worker.settings import Settings

_BOUNDS = ("limit_board_page_bytes", "limit_board_session_bytes")
_PAGES = 4
_READERS = 4
_BATCH = 250
_MOST = Limit("value", "<", 300.0)
_FULL = 413

Stroke = dict[str, Any]


def measure_board_memory(scale: Scale) -> Figure:
    """Fill each board until the API refuses more strokes; then measure each step separately."""
    figure = Figure("Memory for boards: the largest that the limits admit")
    bounds = {name: round(Settings.model_fields[name].default * scale.board_share) for name in _BOUNDS}
    with running_full_stack(**bounds) as full_stack:
        for what, strokes in (
            ("handwriting", _letters),
            ("strokes of 20,000 points", _longest),
            ("strokes of two points", _shortest),
        ):
            session_id, number = _fill(full_stack, strokes)
            name = f"{what}, {number:,} strokes"
            figure.readings += _watch(full_stack, session_id, name)
    page, session = (bounds[name] / 1e6 for name in _BOUNDS)
    figure.notes.append(
        f"Boards of {_PAGES} pages, {page:g} MB of strokes each, {session:g} MB in all, filled through the API. Peaks "
        "are VmHWM of the largest process, reset before each step. "
        f"{_READERS} clients read pages at once, each the whole board in one response."
    )
    return figure


def _watch(full_stack: FullStack, session_id: int, name: str) -> Iterator[Reading]:
    steps: list[tuple[str, str, Callable[[], object]]] = [
        ("API", f"API: {name}, {_READERS} readers at once", lambda: _read(full_stack, session_id)),
        ("worker", f"worker: {name}, pictures of its pages and the document", lambda: _end(full_stack, session_id)),
        ("worker", f"worker: {name}, the film", lambda: _film(full_stack, session_id)),
    ]
    services = {"API": full_stack.process_id("api"), "worker": full_stack.process_id("worker-media")}
    for service, what, step in steps:
        reset_peaks(services[service])
        with MemoryWatch({service: services[service]}) as watch:
            step()
        yield Reading(what, watch.largest(service), "MB", limit=_MOST)


def _fill(full_stack: FullStack, strokes: Callable[[int], Iterator[Stroke]]) -> tuple[int, int]:
    """A running session with a full board, and the number of its strokes."""
    stored = 0
    with full_stack.tutor() as tutor:
        session_id = full_stack.open_lesson(tutor)
        first = tutor.get(f"/v1/whiteboard/sessions/{session_id}")["pages"][0]["id"]
        others = [
            int(tutor.post(f"/v1/whiteboard/sessions/{session_id}/pages", {})["id"]) for _page in range(_PAGES - 1)
        ]
        for page in (first, *others):
            waiting = strokes(page)
            while batch := _body(waiting):
                response = tutor.request("POST", f"/v1/whiteboard/pages/{page}/strokes", batch)
                if response.status == _FULL:
                    break
                stored += len(response.body["strokes"])
    return session_id, stored


def _body(strokes: Iterator[Stroke]) -> bytes:
    """The next request: at most so many strokes and little more than 150 kB, so that the board becomes full."""
    batch: list[str] = []
    size = 0
    for stroke in strokes:
        batch.append(json.dumps(stroke, separators=(",", ":")))
        size += len(batch[-1])
        if len(batch) == _BATCH or size > 150_000:
            break
    return f'{{"strokes":[{",".join(batch)}]}}'.encode() if batch else b""


def _letters(page: int) -> Iterator[Stroke]:
    chance = Random(page)
    known = [handwriting(chance, 30) for _stroke in range(200)]
    for number in count():
        yield _stroke(number, known[number % len(known)])


def _longest(page: int) -> Iterator[Stroke]:
    chance = Random(page)
    for number in count():
        yield _stroke(number, [[chance.randrange(100, 1000), chance.randrange(100, 700)] for _point in range(20_000)])


def _shortest(page: int) -> Iterator[Stroke]:
    chance = Random(page)
    for number in range(50_000):
        x, y = chance.randrange(100, 1000), chance.randrange(100, 700)
        yield _stroke(number, [[x, y], [x + 9, y + 9]])


def _stroke(number: int, points: list[Any]) -> Stroke:
    return {"client_id": f"s{number}", "stroke_type": "pen", "stroke_data": {"points": points}}


def _read(full_stack: FullStack, session_id: int) -> None:
    def read(_reader: int) -> None:
        with Client(full_stack.address, full_stack.tutor_token) as client:
            client.drain(f"/v1/whiteboard/sessions/{session_id}/board")

    with ThreadPoolExecutor(_READERS) as readers:
        list(readers.map(read, range(_READERS)))


def _end(full_stack: FullStack, session_id: int) -> None:
    """End the session, so that its pictures and its document are drawn."""
    with full_stack.tutor() as tutor:
        tutor.post(f"/v1/whiteboard/sessions/{session_id}/end", status=200)
    full_stack.settle()


def _film(full_stack: FullStack, session_id: int) -> None:
    with full_stack.tutor() as tutor:
        tutor.post(f"/v1/whiteboard/sessions/{session_id}/replay", status=202)
    full_stack.settle()

"""How many small recordings the API accepts from concurrent clients, beside a handler that only stores the bytes."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.figure import Figure, Reading, percentile
from benchmarks.harness.scale import Scale
from benchmarks.material.full_stack import running_full_stack
from benchmarks.material.samples import distinct
from benchmarks.material.sending import Client
from benchmarks.peers.bare_server import bare_server

_RECORDING = Path(__file__).parent.parent / "tests" / "data" / "audio.webm"


@dataclass(frozen=True)
class _ClientResults:
    """The results of concurrent clients: responses per second, and milliseconds of each."""

    rate: float
    waits: list[float]


def measure_accepting(scale: Scale) -> Figure:
    """Measure twice: while the media worker is suspended, and while it processes the uploads."""
    content = _RECORDING.read_bytes()
    figure = Figure(
        f"API: recordings of {len(content) / 1e3:.0f} kB accepted (202), {scale.clients} clients, each sends the next "
        "when the last is answered"
    )
    with running_full_stack() as full_stack:
        with full_stack.tutor() as client:
            session_id = full_stack.open_lesson(client)
        _upload_concurrently(full_stack.tutor, "/v1/recordings", session_id, content, 0, scale.clients, scale)
        with bare_server(full_stack.folder / "bare") as address:
            bare = _upload_concurrently(lambda: Client(address), "/", 1, content, 0, scale.crowd_requests, scale)
        full_stack.settle()
        with full_stack.suspended("worker-media"):
            alone = _upload_concurrently(
                full_stack.tutor, "/v1/recordings", session_id, content, 10_000, scale.crowd_requests, scale
            )
        beside = _upload_concurrently(
            full_stack.tutor, "/v1/recordings", session_id, content, 20_000, scale.crowd_requests, scale
        )
        for what, ours in (("media worker held", alone), ("media worker at work on them", beside)):
            name = "bare uvicorn handler: SHA-1, write, fsync"
            p99, bare_p99 = percentile(ours.waits, 99), percentile(bare.waits, 99)
            figure.readings += [
                Reading(f"{what}: answers", ours.rate, "/s", None, bare.rate, name),
                Reading(f"{what}: p99", p99, "ms", (min(ours.waits), max(ours.waits)), bare_p99, name),
            ]
    figure.notes.append(
        f"{scale.crowd_requests} recordings each, with different bytes. The clients run on the same cores. Ours "
        "checks the token and the session in the database, writes the row and the order, and publishes the job."
    )
    return figure


def _upload_concurrently(
    connect: Callable[[], Client], path: str, session_id: int, content: bytes, first: int, requests: int, scale: Scale
) -> _ClientResults:
    each = max(1, requests // scale.clients)

    def send(number: int) -> list[float]:
        waits = []
        with connect() as client:
            for turn in range(each):
                file = distinct(content, first + number * each + turn + 1)
                sent = client.upload(path, file, session_id=session_id)
                if sent.status != 202:
                    raise RuntimeError(f"answered {sent.status}: {sent.body}")
                waits.append(sent.seconds * 1000)
        return waits

    began = time.perf_counter()
    with ThreadPoolExecutor(scale.clients) as pool:
        waits = [wait for client_waits in pool.map(send, range(scale.clients)) for wait in client_waits]
    return _ClientResults(len(waits) / (time.perf_counter() - began), waits)

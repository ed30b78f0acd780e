"""Uploads in pieces: throughput beside the form's, many clients with small pieces, many lessons sent while recorded."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from benchmarks.harness.figure import Figure, Limit, Reading, percentile
from benchmarks.harness.scale import Scale
from benchmarks.harness.watching_memory import MemoryWatch
from benchmarks.material.full_stack import FullStack, running_full_stack, second_api
from benchmarks.material.samples import distinct, repeats_of_bytes, write_recording
from benchmarks.material.tus_client import TusConnection

_PIECE = 65_536
_SLICE, _SLICE_SECONDS = 12_000, 2.0


def measure_uploads(scale: Scale) -> Figure:
    """Measure while the media worker is suspended: its ingests would be measured, too."""
    figure = Figure("Uploads in pieces (tus 1.0)")
    # Nobody waits for the ingest of what is sent here.
    with running_full_stack(upload_abandoned_after=86_400) as full_stack:
        with full_stack.tutor() as client:
            session_id = full_stack.open_lesson(client)
        full_stack.settle()
        with full_stack.suspended("worker-media"):
            figure.readings.append(_throughput(full_stack, session_id, scale))
            with second_api(full_stack) as (address, process_id):
                apis = {full_stack.address: full_stack.process_id("api"), address: process_id}
                figure.readings += _measure_clients(full_stack, apis, session_id, scale)
                figure.readings += _measure_lessons(full_stack, apis, session_id, scale)
    figure.notes.append(
        "Half of the clients send to each of two API processes on one spool, as behind a proxy, on the two cores that "
        "the clients also use. Each piece is on disk before it is acknowledged. Memory is that of the larger process. "
        "Throughput is that of one request to one process, including the registration of the recording."
    )
    return figure


def _measure_clients(full_stack: FullStack, apis: Mapping[str, int], session_id: int, scale: Scale) -> list[Reading]:
    """Clients that send without a pause; `apis` are process ids by address."""
    before = _processor_seconds(apis)
    with MemoryWatch(apis) as memory:
        waits, sent = asyncio.run(_clients(list(apis), full_stack.tutor_token, session_id, scale))
    cost = _processor_seconds(apis) - before
    largest = max(memory.largest(address) for address in apis)
    name = f"{scale.tus_clients} clients, pieces of 64 kB"
    return [
        Reading(f"{name}: p99", percentile(waits, 99), "ms", _range(waits), limit=Limit("value", "<", 150)),
        Reading(f"{name}: least of an upload", min(sent), "pieces", limit=Limit("value", "≥", 1)),
        Reading(f"{name}: processor time of the API each", 1000 * cost / len(waits), "ms"),
        Reading(f"{name}: memory of the API", largest, "MB", limit=Limit("value", "<", 300)),
    ]


def _measure_lessons(full_stack: FullStack, apis: Mapping[str, int], session_id: int, scale: Scale) -> list[Reading]:
    """Lessons of which each sends a slice every two seconds; `apis` are process ids by address."""
    paths = asyncio.run(_create(full_stack, session_id, [None] * scale.live_uploads))
    before = _processor_seconds(apis)
    waits = asyncio.run(_lessons(list(apis), full_stack.tutor_token, paths, scale))
    cost = _processor_seconds(apis) - before
    name = f"{scale.live_uploads} lessons sent while recorded, 12 kB each 2 s"
    return [
        Reading(f"{name}: p99", percentile(waits, 99), "ms", _range(waits), limit=Limit("value", "<", 300)),
        Reading(f"{name}: processor time of the API each", 1000 * cost / len(waits), "ms"),
    ]


def _throughput(full_stack: FullStack, session_id: int, scale: Scale) -> Reading:
    """Megabytes a second of one upload, in turns with the form's."""
    content = write_recording(
        full_stack.folder, full_stack.binaries, repeats=repeats_of_bytes(scale.upload_bytes)
    ).read_bytes()
    ours: list[float] = []
    form: list[float] = []
    file = full_stack.folder / "upload.webm"
    for repeat in range(scale.upload_repeats):
        file.write_bytes(distinct(content, 2 * repeat))
        with full_stack.tutor() as client:
            form.append(
                file.stat().st_size / client.upload("/v1/recordings", file, session_id=session_id).seconds / 1e6
            )
        file.write_bytes(distinct(content, 2 * repeat + 1))
        ours.append(file.stat().st_size / _send_whole(full_stack, session_id, file) / 1e6)
    return Reading.of("one upload", ours, "MB/s", form, "POST /v1/recordings", Limit("ratio", "≥", 0.8))


def _send_whole(full_stack: FullStack, session_id: int, file: Path) -> float:
    """Seconds of one piece that is the whole file, sent as the form is."""
    (path,) = asyncio.run(_create(full_stack, session_id, [file.stat().st_size]))
    with full_stack.tutor() as client:
        sent = client.send_piece(path, file)
    if sent.status != 204:
        raise RuntimeError(f"the upload was answered {sent.status}")
    return sent.seconds


async def _create(full_stack: FullStack, session_id: int, sizes: Sequence[int | None]) -> list[str]:
    """Create an upload of each size; returns their paths."""
    connection = await TusConnection.open(full_stack.address, full_stack.tutor_token)
    try:
        return [await connection.create(session_id, size) for size in sizes]
    finally:
        connection.close()


async def _clients(
    addresses: Sequence[str], token: str, session_id: int, scale: Scale
) -> tuple[list[float], list[int]]:
    """Milliseconds of each piece, and how many pieces of each upload, of clients that send without a pause."""
    waits: list[float] = []
    until = time.monotonic() + scale.tus_seconds

    async def send(number: int) -> int:
        connection = await TusConnection.open(addresses[number % len(addresses)], token)
        path = await connection.create(session_id, None)
        sent = 0
        while time.monotonic() < until:
            waits.append(1000 * await connection.patch(path, sent * _PIECE, _content(number, sent, _PIECE)))
            sent += 1
        connection.close()
        return sent

    counts = await asyncio.gather(*(send(number) for number in range(scale.tus_clients)))
    return waits, list(counts)


async def _lessons(addresses: Sequence[str], token: str, paths: Sequence[str], scale: Scale) -> list[float]:
    """Milliseconds of each slice of many lessons, each of which sends one every two seconds."""
    waits: list[float] = []
    opened = [await TusConnection.open(addresses[n % len(addresses)], token) for n in range(scale.live_uploads)]
    began = time.monotonic() + 1

    async def record(number: int) -> None:
        for turn in range(max(2, int(scale.tus_seconds / _SLICE_SECONDS))):
            at = began + _SLICE_SECONDS * (turn + number / scale.live_uploads)
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            content = _content(number, turn, _SLICE)
            waits.append(1000 * await opened[number].patch(paths[number], turn * _SLICE, content))

    await asyncio.gather(*(record(number) for number in range(scale.live_uploads)))
    for connection in opened:
        connection.close()
    return waits


def _processor_seconds(apis: Mapping[str, int]) -> float:
    """What the API's processes have used of the processor."""
    times = [psutil.Process(process_id).cpu_times() for process_id in apis.values()]
    return sum(each.user + each.system for each in times)


def _content(number: int, turn: int, size: int) -> bytes:
    """Bytes that begin like a recording."""
    return (b"\x1a\x45\xdf\xa3" if turn == 0 else b"\0\0\0\0") + bytes([number % 256]) * (size - 4)


def _range(waits: list[float]) -> tuple[float, float]:
    return min(waits), max(waits)

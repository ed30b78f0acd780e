"""A gigabyte through the API and the worker: peak memory and upload speed."""

from pathlib import Path

from benchmarks.harness.figure import Figure, Limit, Reading
from benchmarks.harness.scale import Scale
from benchmarks.harness.watching_memory import MemoryWatch
from benchmarks.material.full_stack import FullStack, running_full_stack
from benchmarks.material.samples import repeats_of_bytes, write_recording
from benchmarks.material.sending import Client, Sent
from benchmarks.peers.bare_server import bare_server

_DAY = 86_400
_MOST = Limit("value", "<", 300.0)


def measure_memory(scale: Scale) -> Figure:
    """Measure throughput, deleting each recording at once; then memory during the complete ingest of one."""
    figure = Figure("Memory and throughput: one large upload")
    # The repeated lesson is longer than a recording may be: a real one reaches a gigabyte only this way.
    with running_full_stack(recording_max_seconds=_DAY) as full_stack:
        file = write_recording(full_stack.folder, full_stack.binaries, repeats=repeats_of_bytes(scale.upload_bytes))
        ours, bare = _throughput(full_stack, file, scale.upload_repeats)
        services = {"API": full_stack.process_id("api"), "worker": full_stack.process_id("worker-media")}
        with MemoryWatch(services) as watch:
            _upload_here(full_stack, file)
            full_stack.settle()
        size = file.stat().st_size / 1e6
    figure.readings += [
        Reading(f"API, {size:,.0f} MB uploaded: peak resident", watch.largest("API"), "MB", limit=_MOST),
        Reading("worker, main and children together: peak (PSS)", watch.tree_peak["worker"], "MB", limit=_MOST),
        Reading("worker, its largest process: peak resident", watch.largest("worker"), "MB", limit=_MOST),
        Reading("ffmpeg and ffprobe, the largest: peak resident", watch.media_peak, "MB"),
        Reading.of(
            "API: upload throughput",
            [size / seconds for seconds in ours],
            "MB/s",
            [size / seconds for seconds in bare],
            "bare uvicorn handler: SHA-1, write, fsync",
            Limit("ratio", "≥", 0.5),
        ),
    ]
    figure.notes.append(
        "Peaks are VmHWM since the start of each process. PSS is sampled ten times a second and counts a page shared "
        "by forked processes once. The measurement includes ingesting the upload and storing its source."
    )
    figure.notes.append(
        "The client is the same for both: one connection, the file by `sendfile`. Both servers are uvicorn with "
        "httptools."
    )
    return figure


def _throughput(full_stack: FullStack, file: Path, repeats: int) -> tuple[list[float], list[float]]:
    """Seconds from the first byte to the response: ours and the bare handler's, in turns."""
    ours: list[float] = []
    bare: list[float] = []
    storage = full_stack.folder / "bare"
    with bare_server(storage) as address:
        for _repeat in range(repeats):
            sent = _upload_here(full_stack, file)
            ours.append(sent.seconds)
            with full_stack.tutor() as client:
                client.request("DELETE", f"/v1/recordings/{sent.body['recording_id']}")
            full_stack.settle()
            # Either server closes an idle connection, so each upload opens a new one.
            with Client(address) as client:
                bare.append(_accepted(client.upload("/", file, session_id=1)).seconds)
            for path in storage.iterdir():
                path.unlink()
    return ours, bare


def _upload_here(full_stack: FullStack, file: Path) -> Sent:
    with full_stack.tutor() as client:
        session_id = full_stack.open_lesson(client)
        return _accepted(client.upload("/v1/recordings", file, session_id=session_id))


def _accepted(sent: Sent) -> Sent:
    if sent.status != 202:
        raise RuntimeError(f"The upload was answered {sent.status}: {sent.body}")
    return sent

"""`astegni demo`: a lesson is recorded and played, its board drawn, and the student reminded of the next lesson."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2 as httpx
from rich.console import Console
from rich.table import Column, Table

from devstack.signals import interrupted_by_signals
from worker.cli.demo.board import show_board
from worker.cli.demo.client import DemoFailed, client_of, get
from worker.cli.demo.reminder import make_lesson_soon, show_reminder
from worker.cli.ingest import upload_and_wait
from worker.cli.local_stack.stack import Stack
from worker.cli.runfile import published_runfile
from worker.cli.sample import STUDENT_EMAIL, make_sample
from worker.cli.sample_files import SAMPLE_RECORDING
from worker.jobs.orders.recording_orders import StoreSource
from worker.media.probing.packet_reading import probe
from worker.media.processes.binaries import find_binaries
from worker.settings import Settings
from worker.storage.store import ObjectStore


def run_demo(settings: Settings, *, operator_token: Callable[[], str], keep: bool) -> None:
    """Run the demo on its own stack, then remove it; with `keep` only after Ctrl-C. Raises DemoFailed."""
    console = Console()
    with interrupted_by_signals(), Stack(settings, operator_token=operator_token, on_step=console.print) as stack:
        facts = stack.facts()
        console.print(f"Ready: API {facts['api']}, Flower {facts['flower']}, B2 {facts['b2']['realm']}")
        _act(console, stack.settings, facts)
        if keep:
            console.print("Every address above works until Ctrl-C.")
            with published_runfile(facts), suppress(KeyboardInterrupt):
                stack.watch()
    if not keep:
        console.print("Everything is stopped; `astegni demo --keep` leaves it running.")


def _act(console: Console, settings: Settings, facts: dict[str, Any]) -> None:
    sample = make_sample(settings, facts["api"])
    with client_of(facts["api"], sample.tutor.token) as client:
        console.print(f"A tutor, a student, a booking and whiteboard session {sample.session_id} are made.")
        recording = upload_and_wait(
            client,
            SAMPLE_RECORDING,
            session_id=sample.session_id,
            title="Quadratic equations",
            type_="video",
            console=console,
        )
        _wait_for_source(client, recording["id"])
        playback = get(client, f"/v1/recordings/{recording['id']}/playback")
        _show(console, settings, recording, playback)
        show_board(console, client, sample.session_id)
        if facts["mailbox"] is None:
            console.print("SMTP_HOST is set, so no reminder is sent: it would leave this machine.")
            return
        schedule_id = make_lesson_soon(client, sample.booking_id)
        with client_of(facts["api"], sample.student.token) as reader:
            show_reminder(console, reader, schedule_id, to=STUDENT_EMAIL, mailbox=facts["mailbox"]["url"])


def _wait_for_source(client: httpx.Client, recording_id: int) -> None:
    """Wait until the uploaded bytes are in B2, which the table shows too; a separate job stores them."""
    path = f"/v1/jobs?subject=recording:{recording_id}&kind={StoreSource.kind}"
    end = time.monotonic() + 60
    while any(job["finished_at"] is None for job in get(client, path)["items"]):
        if time.monotonic() > end:
            raise DemoFailed("The source did not reach B2 within a minute.")
        time.sleep(0.25)


def _show(console: Console, settings: Settings, recording: dict[str, Any], playback: dict[str, Any]) -> None:
    """Print the table: the row, the objects, and the signed address, whose file is fetched and probed again."""
    metadata = recording["recording_metadata"]
    fast_copy = playback["renditions"][0]
    table = Table(Column("what", no_wrap=True), Column("found", overflow="fold"), title="The lesson", show_lines=True)
    table.add_row("is_available", str(recording["is_available"]))
    table.add_row("size", f"{recording['file_size_bytes']:,} bytes")
    table.add_row("duration", f"{recording['duration_seconds']} s ({metadata['duration_ms']} ms)")
    table.add_row("codecs", f"{metadata['codecs']} in {metadata['container']}")
    table.add_row("resolution", f"{metadata['width']} x {metadata['height']}, {metadata['fps']:.1f} frames/s")
    table.add_row("objects in B2", _objects(settings, recording))
    table.add_row("playback address", fast_copy["url"])
    table.add_row("fetched and probed", _fetch_and_probe(settings, fast_copy["url"], metadata["duration_ms"]))
    console.print(table)
    if not recording["is_available"]:
        raise DemoFailed("The recording is not available.")


def _objects(settings: Settings, recording: dict[str, Any]) -> str:
    store = ObjectStore.from_settings(settings)
    prefix = f"videos/whiteboard/session_{recording['session_id']}/"
    return "\n".join(f"{stored.name}  {stored.size:,} bytes" for stored in store.list(prefix))


def _fetch_and_probe(settings: Settings, url: str, expected_ms: int) -> str:
    """Fetch the lesson as a viewer would, and probe it. Raises DemoFailed when it is not the lesson."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "fetched"
        with httpx.stream("GET", url) as response, file.open("wb") as body:
            if response.status_code != httpx.codes.OK:
                raise DemoFailed(f"The playback address answered {response.status_code}.")
            for chunk in response.iter_bytes():
                body.write(chunk)
        probed = probe(file, find_binaries(settings))
        if probed.header_duration_ms is None or abs(probed.duration_ms - expected_ms) > 100:
            raise DemoFailed("What the playback address gave is not the lesson.")
        return f"{file.stat().st_size:,} bytes of {probed.container}, {probed.header_duration_ms} ms in its header"

"""From the last byte of an upload to a playable lesson, beside the two commands that a person would type."""

import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.harness.figure import Figure, Limit, Reading, median, spread
from benchmarks.harness.scale import Scale
from benchmarks.material.full_stack import FullStack, running_full_stack, wait_for
from benchmarks.material.samples import repeats_for, write_recording

_B2 = Path(sys.executable).with_name("b2")
_POLL = 0.005
_STEPS = """
    SELECT extract(epoch FROM started_at - created_at)::float, extract(epoch FROM finished_at - started_at)::float,
           (result ->> 'decoded_pictures')::int
      FROM jobs WHERE subject = %s AND kind = 'recordings.ingest'
"""


@dataclass
class _Ours:
    """Seconds of each repeat, in total and by step."""

    whole: list[float] = field(default_factory=list)
    response: list[float] = field(default_factory=list)
    start: list[float] = field(default_factory=list)
    run: list[float] = field(default_factory=list)
    decoded: list[int] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


@dataclass
class _Peer:
    copy: list[float] = field(default_factory=list)
    upload: list[float] = field(default_factory=list)
    start_up: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    @property
    def whole(self) -> list[float]:
        return [sum(pair) for pair in zip(self.copy, self.upload, strict=True)]


def measure_ingest(scale: Scale) -> Figure:
    """Measure a lesson of twenty minutes beside the peer, and one of an hour against a limit."""
    figure = Figure("Ingest: last byte of the upload until the recording is available")
    with running_full_stack() as full_stack:
        b2 = _B2Command(full_stack)
        lesson = write_recording(
            full_stack.folder, full_stack.binaries, repeats=_odd(repeats_for(scale.lesson_minutes))
        )
        _ingest(full_stack, lesson, _Ours())  # a warm-up of every process; not counted
        ours, peer = _Ours(), _Peer()
        for number in range(scale.lesson_repeats):
            _ingest(full_stack, lesson, ours)
            _copy_and_upload(full_stack, b2, lesson, number, peer)
        _tell_lesson(figure, scale, ours, peer, lesson.stat().st_size)
        long = write_recording(full_stack.folder, full_stack.binaries, repeats=repeats_for(scale.long_minutes))
        hours = _Ours()
        for _repeat in range(scale.long_repeats):
            _ingest(full_stack, long, hours)
        size = f"{scale.long_minutes:g} min ({long.stat().st_size / 1e6:.0f} MB)"
        figure.readings.append(
            Reading(
                f"{size}: last byte to available, slowest of {len(hours.whole)}",
                max(hours.whole),
                "s",
                spread(hours.whole),
                limit=Limit("value", "≤", 15.0),
            )
        )
    return figure


def _odd(repeats: int) -> int:
    """Make the number of repeats odd: the poster is taken at quarters of a lesson, each of which would start a sample.

    The sample begins with an empty board, so all would show the same blank frame, unlike any lesson.
    """
    return repeats | 1


def _tell_lesson(figure: Figure, scale: Scale, ours: _Ours, peer: _Peer, size: int) -> None:
    what = f"{scale.lesson_minutes:g} min ({size / 1e6:.0f} MB): last byte to available"
    without = [whole - start for whole, start in zip(peer.whole, peer.start_up, strict=True)]
    command = "`ffmpeg -c copy` + `b2 file upload`"
    figure.readings += [
        Reading.of(what, ours.whole, "s", peer.whole, command, Limit("ratio", "≤", 1.3)),
        Reading.of(
            f"{what}, peer without start-up of `b2`",
            ours.whole,
            "s",
            without,
            "the same without the start-up of `b2`",
        ),
        Reading.of("the same: processor time of the media worker", ours.processor, "s", peer.processor, command),
    ]
    figure.notes.append(
        f"Ours, medians: {median(ours.response):.2f} s from the last byte to the response 202, "
        f"{median(ours.start):.3f} s from there until a worker started, {median(ours.run):.2f} s of work. To verify "
        f"that the copy plays, {max(ours.decoded, default=0)} of its frames were decoded."
    )
    figure.notes.append(
        f"The peer's, medians: {median(peer.copy):.2f} s to copy, {median(peer.upload):.2f} s to upload, including "
        f"{median(peer.start_up):.2f} s to start the `b2` command (`b2 version`)."
    )
    figure.notes.append(
        "The peer copies once and checks nothing. Ours reads every packet of the upload and of the copy, moves the "
        "index to the front, makes a poster, computes the copy's SHA-1 and verifies the objects on B2. Before, while "
        "the upload arrives, it computes the upload's SHA-1 and writes it durably."
    )


def _worker_seconds(full_stack: FullStack) -> float:
    """Processor time that the media worker and all programs that it ran have used."""
    worker = psutil.Process(full_stack.process_id("worker-media"))
    times = [process.cpu_times() for process in [worker, *worker.children()]]
    return sum(used.user + used.system + used.children_user + used.children_system for used in times)


def _peer_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _ingest(full_stack: FullStack, lesson: Path, ours: _Ours) -> None:
    """Upload into a new session, which has no earlier files; then wait until all jobs have ended."""
    before = _worker_seconds(full_stack)
    with full_stack.tutor() as client:
        session_id = full_stack.open_lesson(client)
        sent = client.upload("/v1/recordings", lesson, session_id=session_id)
    if sent.status != 202:
        raise RuntimeError(f"The upload was answered {sent.status}: {sent.body}")
    recording_id = sent.body["recording_id"]
    with full_stack.connect() as connection:
        available = "SELECT 1 FROM whiteboard_session_recordings WHERE id = %s AND is_available"
        wait_for(lambda: connection.execute(available, [recording_id]).fetchone() is not None, pause=_POLL)
        ours.whole.append(time.perf_counter() - sent.last_byte)
        ours.processor.append(_worker_seconds(full_stack) - before)
        steps = connection.execute(_STEPS, [f"recording:{recording_id}"]).fetchone()
    full_stack.settle()
    ours.response.append(sent.answered - sent.last_byte)
    if steps is not None:
        ours.start.append(steps[0])
        ours.run.append(steps[1])
        ours.decoded.append(steps[2])


class _B2Command:
    """The official command line, signed in to the same emulator."""

    def __init__(self, full_stack: FullStack) -> None:
        b2 = full_stack.stack.facts()["b2"]
        self.bucket = b2["bucket"]
        self._environment = {
            **os.environ,
            "B2_APPLICATION_KEY_ID": b2["key_id"],
            "B2_APPLICATION_KEY": b2["application_key"],
            "B2_ENVIRONMENT": b2["realm"],
            "B2_ACCOUNT_INFO": str(full_stack.folder / "account_info"),
            "HOME": str(full_stack.folder),
        }
        self.seconds("account", "authorize")

    def seconds(self, *words: str | Path) -> float:
        """The duration of the command."""
        began = time.perf_counter()
        subprocess.run([_B2, *words], env=self._environment, capture_output=True, check=True)
        return time.perf_counter() - began


def _copy_and_upload(full_stack: FullStack, b2: _B2Command, lesson: Path, number: int, peer: _Peer) -> None:
    copy = full_stack.folder / f"copy-{number}.webm"
    began, before = time.perf_counter(), _peer_seconds()
    subprocess.run(
        [full_stack.binaries.ffmpeg, "-v", "error", "-nostdin", "-y", "-i", lesson, "-map", "0", "-c", "copy", copy],
        check=True,
    )
    peer.copy.append(time.perf_counter() - began)
    peer.upload.append(b2.seconds("file", "upload", "--no-progress", b2.bucket, copy, f"peer/{number}.webm"))
    peer.processor.append(_peer_seconds() - before)
    peer.start_up.append(b2.seconds("version"))
    copy.unlink()

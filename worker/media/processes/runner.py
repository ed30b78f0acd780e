"""Run ffmpeg and ffprobe with limits: they never hang, never outlive the caller and never see its environment.

ffmpeg-python builds the arguments; its own runner has no timeout and blocks for ever when a pipe is full
(ffmpeg-python#195, #308).
"""

import os
import re
import resource
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import IO

from worker.errors import OutOfSpace
from worker.logs import get_logger
from worker.media.errors import FfmpegFailed, FfmpegKilled
from worker.media.limits import MAX_ALLOC
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import Budget, never
from worker.media.processes.confined_process import confine, end, start
from worker.media.processes.supervise import CPUS, ProcessWatch, supervise
from worker.tracing.spans import span

_log = get_logger(__name__)

STDERR_KEPT = 4096


def run_ffmpeg(
    binaries: Binaries,
    arguments: Sequence[str],
    *,
    budget: Budget,
    should_stop: Callable[[], bool] = never,
    on_progress: Callable[[float], None] | None = None,
    fed: Iterable[bytes | memoryview] | None = None,
) -> str:
    """Run ffmpeg with `arguments` (from `ffmpeg.get_args`) and return the last 4 KB of its stderr.

    `on_progress` gets the seconds of media written so far, about twice a second. `fed` is its input `pipe:0`; each
    piece is requested after the one before was written, so both may use the same memory. Raises FfmpegFailed,
    FfmpegTimeout, Stopped, OutOfSpace or what `fed` raises; the caller must remove the outputs of a failed run.
    """
    front = ["-nostdin", "-hide_banner", "-y", "-v", "error", "-max_alloc", str(MAX_ALLOC)]
    progress = ["-progress", "pipe:1", "-stats_period", "0.5"]
    written = -1.0

    def read_progress(lines: list[str]) -> bool:
        nonlocal written
        before = written
        for line in lines:
            name, _, value = line.partition("=")
            if name == "out_time_us" and value.lstrip("-").isdigit():
                written = max(written, int(value) / 1_000_000)
        if on_progress is not None and written > before:
            on_progress(written)
        return written > before

    return _run(
        "ffmpeg",
        [str(binaries.ffmpeg), *front, *progress, *arguments],
        budget=budget,
        should_stop=should_stop,
        on_lines=read_progress,
        fed=fed,
    )


def run_ffprobe(
    binaries: Binaries,
    arguments: Sequence[str],
    *,
    budget: Budget,
    on_lines: Callable[[list[str]], None],
    should_stop: Callable[[], bool] = never,
) -> str:
    """Run ffprobe, pass its output to `on_lines` as it arrives, and return the last 4 KB of its stderr.

    An exception of `on_lines` ends the run and is raised to the caller. Raises the same errors as `run_ffmpeg`.
    """

    def read_lines(lines: list[str]) -> bool:
        on_lines(lines)
        return bool(lines)

    return _run(
        "ffprobe",
        [str(binaries.ffprobe), "-hide_banner", "-v", "error", "-max_alloc", str(MAX_ALLOC), *arguments],
        budget=budget,
        should_stop=should_stop,
        on_lines=read_lines,
    )


def _run(
    program: str,
    command: list[str],
    *,
    budget: Budget,
    should_stop: Callable[[], bool],
    on_lines: Callable[[list[str]], bool],
    fed: Iterable[bytes | memoryview] | None = None,
) -> str:
    # stderr goes to a file: ffmpeg blocks for ever on a pipe that nobody reads.
    with span(program, program=program) as note, tempfile.TemporaryFile() as stderr:
        began = time.monotonic()
        process = start(command, stderr, fed is not None)
        watch = ProcessWatch(budget, should_stop, process.pid)
        try:
            # The child may have ended already. A preexec_fn could set limits earlier, but is not safe with threads.
            with suppress(ProcessLookupError):
                confine(process.pid, _resource_limits(budget))
            supervise(process, stderr, watch, on_lines, fed)
        finally:
            # Also after an asynchronous exception, such as Celery's soft time limit.
            end(process)
            note(exit_code=process.returncode)
            message = _end_of_stderr(stderr)
            _log_end(program, process.returncode, time.monotonic() - began, message)
        _check(program, process.returncode, message)
        return message


def _resource_limits(budget: Budget) -> dict[int, int | None]:
    return {
        resource.RLIMIT_CPU: int(budget.wall_seconds * CPUS) + 1,
        resource.RLIMIT_AS: budget.memory_bytes,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: budget.file_bytes,
    }


def _end_of_stderr(stderr: IO[bytes]) -> str:
    size = os.fstat(stderr.fileno()).st_size
    stderr.seek(max(0, size - STDERR_KEPT))
    return stderr.read().decode("utf-8", "replace").strip()


def _log_end(program: str, returncode: int, seconds: float, message: str) -> None:
    """Log the end of a run with the ids of its job and request; at DEBUG if there is no message."""
    last_line = sanitized(message.splitlines()[-1]) if message else None
    write = _log.debug if returncode == 0 and last_line is None else _log.info
    write("media_process_ended", program=program, status=returncode, seconds=round(seconds, 3), said=last_line)


def _check(program: str, returncode: int, message: str) -> None:
    if returncode == 0:
        return
    if "No space left on device" in message:
        raise OutOfSpace("The disk is full. Free some space; the work is tried again.")
    ending = f"was ended by signal {-returncode}" if returncode < 0 else f"ended with status {returncode}"
    lines = message.splitlines()
    reason = sanitized(lines[-1]) if lines else "no message"
    failure = FfmpegKilled if returncode < 0 else FfmpegFailed
    raise failure(f"{program} {ending}: {reason}", returncode=returncode, stderr=message)


def sanitized(line: str) -> str:
    """A message of ffmpeg without addresses, and without folders of this machine.

    The file's name is enough, and two runs that fail for the same reason must give the same message.
    """
    without_context = re.sub(r"^(\[[^\]]*\] ?)+", "", line)
    return re.sub(r"(?<![\w.])/\S*/", "", re.sub(r"0x[0-9a-f]+", "0x…", without_context))

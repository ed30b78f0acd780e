"""Run ffmpeg and ffprobe with limits: they never hang, never outlive the caller and never see its environment.

ffmpeg-python builds the arguments; its own runner has no timeout and blocks for ever when a pipe is full
(ffmpeg-python#195, #308).
"""

import os
import re
import resource
import selectors
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from worker.errors import OutOfSpace
from worker.media.binaries import Binaries
from worker.media.confined_process import confine, end, start
from worker.media.errors import FfmpegFailed, FfmpegKilled, FfmpegTimeout, Stopped, too_complex
from worker.media.limits import MAX_ALLOC
from worker.media.stdin_feeder import StdinFeeder

POLL_SECONDS = 0.25
STDERR_KEPT = 4096
_STDERR_MAX = 1024 * 1024
_LINE_MAX = 1024 * 1024
_CPUS = os.cpu_count() or 1


@dataclass(frozen=True)
class Budget:
    """The limits of one run. Times are seconds, sizes bytes."""

    wall_seconds: float
    # No progress for this long means it hangs.
    stall_seconds: float = 30.0
    # Processor time without progress after which the input is rejected; None when the input is our own.
    idle_cpu_seconds: float | None = None
    # Address space, not resident memory: the binary alone maps 180 MB and each thread reserves a stack.
    memory_bytes: int = 2 * 1024**3
    # Largest file it may write; None for no cap.
    file_bytes: int | None = None


def idle_cpu_seconds(size_bytes: int) -> float:
    """The most processor time that reading this many bytes of an untrusted file may take without progress.

    A lesson of six hours in its smallest form, 24 MB with a million packets, takes a second to read silently.
    """
    return 3 + size_bytes / 8_000_000


def never() -> bool:
    """The `should_stop` of a caller that never stops."""
    return False


def run_ffmpeg(
    binaries: Binaries,
    arguments: Sequence[str],
    *,
    budget: Budget,
    should_stop: Callable[[], bool] = never,
    on_progress: Callable[[float], None] | None = None,
    fed: Iterable[bytes | memoryview] | None = None,
) -> str:
    """Run ffmpeg with `arguments` (as `ffmpeg.get_args` gives them) and return the last 4 KB of its stderr.

    `on_progress` gets the seconds of media written so far, about twice a second. `fed` is its input `pipe:0`; each
    piece is requested when the one before is written, and may use the same memory. Raises FfmpegFailed,
    FfmpegTimeout, Stopped, OutOfSpace or what `fed` raises; the outputs of a failed run are the caller's to remove.
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
    """Run ffprobe, pass its output to `on_lines` as it comes, and return the last 4 KB of its stderr.

    What `on_lines` raises ends the run and is raised to the caller. Raises the same errors as `run_ffmpeg`.
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
    # stderr is a file: ffmpeg blocks for ever on a pipe that nobody reads.
    with tempfile.TemporaryFile() as stderr:
        process = start(command, stderr, fed is not None)
        watch = _ProcessWatch(budget, should_stop, process.pid)
        try:
            # The child may have ended already. A preexec_fn could set limits earlier, but is not safe beside threads.
            with suppress(ProcessLookupError):
                confine(process.pid, _resource_limits(budget))
            _supervise(process, stderr, watch, on_lines, fed)
        finally:
            # Also after an asynchronous exception, such as Celery's soft time limit.
            end(process)
        message = _last_words(stderr)
        _check(program, process.returncode, message)
        return message


def _resource_limits(budget: Budget) -> dict[int, int | None]:
    return {
        resource.RLIMIT_CPU: int(budget.wall_seconds * _CPUS) + 1,
        resource.RLIMIT_AS: budget.memory_bytes,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: budget.file_bytes,
    }


class _ProcessWatch:
    """The limits of one run and the caller's request to stop; `check` raises when one of them is reached."""

    def __init__(self, budget: Budget, should_stop: Callable[[], bool], pid: int) -> None:
        self._budget = budget
        self._should_stop = should_stop
        self._pid = pid
        self._started = self._moved = time.monotonic()
        self._cpu_when_moved = 0.0

    def moved(self) -> None:
        self._moved = time.monotonic()
        if self._budget.idle_cpu_seconds is not None:
            self._cpu_when_moved = _cpu_seconds(self._pid)

    def check(self) -> None:
        if self._should_stop():
            raise Stopped("Media processing was stopped before it was done.")
        now = time.monotonic()
        if now - self._started > self._budget.wall_seconds:
            raise FfmpegTimeout(f"Media processing took more than {self._budget.wall_seconds:g} seconds.")
        if now - self._moved > self._budget.stall_seconds:
            raise FfmpegTimeout(f"Media processing stood still for {self._budget.stall_seconds:g} seconds.")
        most = self._budget.idle_cpu_seconds
        # The kernel is asked only when the limit may have been reached.
        if (
            most is not None
            and now - self._moved > most / _CPUS
            and _cpu_seconds(self._pid) > (self._cpu_when_moved + most)
        ):
            raise too_complex()


def _cpu_seconds(pid: int) -> float:
    """Processor time that a child has used so far (proc(5), `stat`); 0 where the kernel does not report it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    # utime and stime are fields 14 and 15; the first behind the name is the third.
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if len(fields) > 12 else 0.0


def _supervise(
    process: subprocess.Popen[bytes],
    stderr: IO[bytes],
    watch: _ProcessWatch,
    on_lines: Callable[[list[str]], bool],
    fed: Iterable[bytes | memoryview] | None,
) -> None:
    """Read stdout and write stdin until the program ends, checking the limits and the caller in between."""
    assert process.stdout is not None  # noqa: S101  # opened with PIPE in `start`; this is for mypy
    lines = _Lines(on_lines)
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        feeder = None
        if process.stdin is not None:
            feeder = StdinFeeder(process.stdin, iter(fed or ()))
            selector.register(process.stdin, selectors.EVENT_WRITE)
        while True:
            watch.check()
            if os.fstat(stderr.fileno()).st_size > _STDERR_MAX:
                os.ftruncate(stderr.fileno(), 0)
            ready = {key.fileobj for key, _events in selector.select(POLL_SECONDS)}
            if feeder is not None and feeder.pipe in ready and not feeder.feed():
                selector.unregister(feeder.pipe)
                feeder.pipe.close()
                feeder = None
            if process.stdout not in ready:
                continue
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                break
            if lines.add(chunk):
                watch.moved()
    lines.finish()
    _wait(process, watch)


class _Lines:
    """Output of a program, passed on in whole lines."""

    def __init__(self, on_lines: Callable[[list[str]], bool]) -> None:
        self._on_lines = on_lines
        self._rest = b""

    def add(self, chunk: bytes) -> bool:
        """Pass the lines on that are whole now; returns whether they were progress."""
        # No line of either program is that long; longer ones are cut so that memory stays bounded.
        lines, newline, self._rest = (self._rest + chunk[: _LINE_MAX - len(self._rest)]).rpartition(b"\n")
        return bool(newline) and self._on_lines(lines.decode("utf-8", "replace").split("\n"))

    def finish(self) -> None:
        """Pass on what follows the last newline."""
        if self._rest:
            self._on_lines([self._rest.decode("utf-8", "replace")])


def _wait(process: subprocess.Popen[bytes], watch: _ProcessWatch) -> None:
    while process.poll() is None:
        watch.check()
        with suppress(subprocess.TimeoutExpired):
            process.wait(POLL_SECONDS)


def _last_words(stderr: IO[bytes]) -> str:
    size = os.fstat(stderr.fileno()).st_size
    stderr.seek(max(0, size - STDERR_KEPT))
    return stderr.read().decode("utf-8", "replace").strip()


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

"""Watch a running program: read its output, write its input, and end it when it reaches a limit of its budget."""

import fcntl
import os
import selectors
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from worker.media.errors import FfmpegTimeout, Stopped, too_complex
from worker.media.processes.budget import Budget

POLL_SECONDS = 0.25
_STDERR_MAX = 1024 * 1024
_LINE_MAX = 1024 * 1024
_PIPE_BYTES = 1024 * 1024
CPUS = os.cpu_count() or 1


class ProcessWatch:
    """The limits of one run and the caller's request to stop; `check` raises when one of them is reached."""

    def __init__(self, budget: Budget, should_stop: Callable[[], bool], pid: int) -> None:
        self._budget = budget
        self._should_stop = should_stop
        self._pid = pid
        self._started = self._moved = time.monotonic()
        self._cpu_when_moved = 0.0

    def moved(self) -> None:
        """Record progress."""
        self._moved = time.monotonic()
        if self._budget.idle_cpu_seconds is not None:
            self._cpu_when_moved = _cpu_seconds(self._pid)

    def check(self) -> None:
        """Raise Stopped, FfmpegTimeout, or MediaRejected for an input that costs too much processor time."""
        if self._should_stop():
            raise Stopped("Media processing was stopped before it was done.")
        now = time.monotonic()
        if now - self._started > self._budget.wall_seconds:
            raise FfmpegTimeout(f"Media processing took more than {self._budget.wall_seconds:g} seconds.")
        idle = now - self._moved
        if idle > self._budget.stall_seconds:
            raise FfmpegTimeout(f"Media processing stood still for {self._budget.stall_seconds:g} seconds.")
        most = self._budget.idle_cpu_seconds
        # The kernel is asked only when the limit may have been reached.
        if most is not None and idle > most / CPUS and _cpu_seconds(self._pid) > self._cpu_when_moved + most:
            raise too_complex()


def _cpu_seconds(pid: int) -> float:
    """The processor time that a child has used so far (proc(5), `stat`); 0 where the kernel does not report it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    # utime and stime are fields 14 and 15; the first one after the name is field 3.
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if len(fields) > 12 else 0.0


def supervise(
    process: subprocess.Popen[bytes],
    stderr: IO[bytes],
    watch: ProcessWatch,
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
    """Passes the output of a program on in complete lines."""

    def __init__(self, on_lines: Callable[[list[str]], bool]) -> None:
        self._on_lines = on_lines
        self._rest = b""

    def add(self, chunk: bytes) -> bool:
        """Pass the lines on that are whole now; returns whether they were progress."""
        # Neither program writes lines this long; longer ones are cut so that memory stays bounded.
        lines, newline, self._rest = (self._rest + chunk[: _LINE_MAX - len(self._rest)]).rpartition(b"\n")
        return bool(newline) and self._on_lines(lines.decode("utf-8", "replace").split("\n"))

    def finish(self) -> None:
        """Pass on what follows the last newline."""
        if self._rest:
            self._on_lines([self._rest.decode("utf-8", "replace")])


def _wait(process: subprocess.Popen[bytes], watch: ProcessWatch) -> None:
    while process.poll() is None:
        watch.check()
        with suppress(subprocess.TimeoutExpired):
            process.wait(POLL_SECONDS)


class StdinFeeder:
    """Writes as much into the program's stdin as fits, without blocking."""

    def __init__(self, pipe: IO[bytes], pieces: Iterator[bytes | memoryview]) -> None:
        self.pipe = pipe
        self._pieces = pieces
        self._left = memoryview(b"")
        os.set_blocking(pipe.fileno(), False)
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            # A picture of 1.4 MB would need twenty writes through Linux's usual 64 KB. The system may allow less.
            with suppress(OSError):
                fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    def feed(self) -> bool:
        """Write what fits. False when all is written, or the program no longer reads (its status will tell why)."""
        if not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return False
            self._left = memoryview(piece)
        try:
            self._left = self._left[os.write(self.pipe.fileno(), self._left) :]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            return False
        return True

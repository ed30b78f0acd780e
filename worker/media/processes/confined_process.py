"""Start a program with limited resources that never outlives its parent, and end it reliably."""

import fcntl
import functools
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from typing import IO

GRACE_SECONDS = 3.0
_NICENESS = 10
# If the worker dies before setpriv has set the parent-death signal, no signal is sent, so the child checks that its
# parent still exists. The shell passes the program and its arguments on without parsing them.
_STAY_ONLY_WITH_PARENT = 'test "$PPID" = "$0" && exec "$@"'


def start(command: list[str], stderr: IO[bytes], is_fed: bool) -> subprocess.Popen[bytes]:
    """Start a program with stdout as a pipe, stdin too if `is_fed`, and without our environment."""
    # O_APPEND lets the caller truncate the file while the child writes.
    fcntl.fcntl(stderr.fileno(), fcntl.F_SETFL, fcntl.fcntl(stderr.fileno(), fcntl.F_GETFL) | os.O_APPEND)
    return subprocess.Popen(
        [*_guard(), *command],
        stdin=subprocess.PIPE if is_fed else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        start_new_session=True,
        # Never our own environment: it contains the keys of B2 and of the database.
        env={"PATH": os.defpath, "LANG": "C.UTF-8", "AV_LOG_FORCE_NOCOLOR": "1"},
        bufsize=0,
    )


def _guard() -> list[str]:
    """On Linux the kernel ends ffmpeg when the thread that started it ends, even if it was killed by SIGKILL."""
    setpriv = _setpriv()
    if setpriv is None:
        return []
    # Not cached: a worker's children are forked, and each has its own process id.
    return [*setpriv, "/bin/sh", "-c", _STAY_ONLY_WITH_PARENT, str(os.getpid())]


@functools.cache
def _setpriv() -> list[str] | None:
    program = shutil.which("setpriv")
    return [program, "--no-new-privs", "--pdeathsig", "KILL", "--"] if program else None


def confine(pid: int, limits: Mapping[int, int | None]) -> None:
    """Lower the priority of a program and limit its resources (RLIMIT_*; None: no limit)."""
    os.setpriority(os.PRIO_PROCESS, pid, max(_NICENESS, os.getpriority(os.PRIO_PROCESS, pid)))
    if not hasattr(resource, "prlimit"):
        return  # macOS: a developer's machine
    # ffmpeg hands every packet from one thread to the next; under the normal policy each wakes up by preempting the one
    # before it, which took a third of the processor time of a copy (sched(7)). EPERM: the worker itself runs as
    # SCHED_IDLE.
    with suppress(PermissionError):
        os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))
    for kind, most in limits.items():
        # The operator may have set a lower limit, which only root could raise.
        hard = resource.prlimit(pid, kind)[1]
        if most is not None and (hard == resource.RLIM_INFINITY or most < hard):
            resource.prlimit(pid, kind, (most, most))


def end(process: subprocess.Popen[bytes]) -> None:
    """End the process group if it is still running, and reap the process."""
    try:
        if process.poll() is None:
            # The process leads its own session, so the group id is the process id.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_SECONDS)
    finally:
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

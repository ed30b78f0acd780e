"""A child process that ends with its parent however the parent ends; needs Linux (prctl)."""

import ctypes
import os
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

from devstack.account import PopenArguments, SystemAccount
from devstack.errors import StartupFailed

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
# A parent that died between fork and prctl sends no signal, so the child checks that it still exists. The program and
# its arguments are arguments of the shell, which never parses them.
_STAY_ONLY_WITH_PARENT = 'test "$PPID" = "$0" && exec "$@"'
_POLL = 0.01


class ChildProcess:
    """A running program in a session of its own, so that Ctrl-C on the terminal reaches only the parent.

    `death_signal` is what the kernel sends it when the *thread* that started it ends, so it must be started from the
    main thread. Output is appended to `log`, except standard output when `stdout` is given. `account` is the user to
    run as. `command` must hold no secret: every user of the machine can read it.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        account: SystemAccount | None = None,
        cwd: Path | None = None,
        stdout: IO[bytes] | None = None,
        pass_fds: Sequence[int] = (),
        death_signal: signal.Signals = signal.SIGKILL,
    ) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError(f"{name} must be started from the main thread: it dies with the thread that started it")
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch(mode=0o600)
        with log.open("ab") as output:
            self._log_start = output.tell()
            self._popen = subprocess.Popen(
                [*_guard(death_signal), *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=stdout or output,
                stderr=output,
                env=env,
                cwd=cwd,
                pass_fds=pass_fds,
                start_new_session=True,
                preexec_fn=_preexec(death_signal),  # noqa: PLW1509 - only without setpriv, see there
                **(account.popen_arguments if account else PopenArguments()),
            )

    @property
    def pid(self) -> int:
        """Process id, also of its group; not reused before `stop` or `kill`, even when the process has ended."""
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; then its exit status, or minus the signal that ended it."""
        if self._popen.returncode is not None:
            return self._popen.returncode
        # WNOWAIT keeps the zombie, and with it the group id, until `kill` has ended the group.
        ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return None
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status

    def log_tail(self, lines: int = 20) -> str:
        """The last lines that this run logged."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return b"".join(deque(log, maxlen=lines)).decode(errors="replace").rstrip()

    def stop(self, timeout: float = 10.0, first: signal.Signals = signal.SIGTERM) -> int:
        """Send `first`, wait up to `timeout` seconds, then kill its whole group; returns the exit code. Idempotent."""
        self.signal(first)
        self.wait(timeout)
        return self.kill()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process alone (not its group), unless it has ended."""
        if self.exit_code is None:
            os.kill(self.pid, number)

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for its end; returns whether it ended."""
        deadline = time.monotonic() + timeout
        while self.exit_code is None:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL)
        return True

    def kill(self) -> int:
        """Kill the process and the rest of its group; returns the exit code."""
        if self._popen.returncode is None:
            # Safe: before `wait` the group id cannot be reused.
            os.killpg(self.pid, signal.SIGKILL)
        return self._popen.wait()


def wait_until(ready: Callable[[], bool], process: ChildProcess, timeout: float, interval: float = 0.02) -> None:
    """Poll `ready` until it is true; raises StartupFailed when the process ends or `timeout` seconds pass first."""
    deadline = time.monotonic() + timeout
    while not ready():
        if process.exit_code is not None:
            raise StartupFailed(
                f"{process.name} ended with {process.exit_code} before it was ready. "
                f"{process.log} ends with:\n{process.log_tail()}"
            )
        if time.monotonic() >= deadline:
            raise StartupFailed(
                f"{process.name} was not ready after {timeout:g} s. {process.log} ends with:\n{process.log_tail()}"
            )
        time.sleep(interval)


@cache
def _setpriv() -> str | None:
    """The setpriv of util-linux, if installed; the one of busybox has no --pdeathsig."""
    program = shutil.which("setpriv")
    if program is None:
        return None
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return program if "util-linux" in version.stdout else None


def _guard(death_signal: signal.Signals) -> list[str]:
    """The arguments in front of a command that end it with its parent."""
    setpriv = _setpriv()
    if setpriv is None:
        return []
    death = ["--pdeathsig", death_signal.name.removeprefix("SIG")]
    return [setpriv, *death, "--", "/bin/sh", "-c", _STAY_ONLY_WITH_PARENT, str(os.getpid())]


def _preexec(death_signal: signal.Signals) -> Callable[[], None] | None:
    """The same without setpriv. Python code between fork and exec can deadlock in a process with threads."""
    if _setpriv() is not None:
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return tie

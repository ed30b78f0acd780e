import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from devstack.errors import StartupFailed
from devstack.process import ChildProcess, wait_until
from tests.conftest import Gone, Starter
from tests.waiting import TIMEOUT

_SLEEPER = """
import sys, time
from pathlib import Path
from devstack.process import ChildProcess
child = ChildProcess("sleeper", ["sleep", "60"], Path(sys.argv[1]))
print(child.pid, flush=True)
time.sleep(60)
"""
_PARENT_OF_A_SLEEPER = """
import subprocess, sys, time
print(subprocess.Popen(["sleep", "60"]).pid, flush=True)
time.sleep(60)
"""


def test_output_goes_to_the_log(tmp_path: Path) -> None:
    child = ChildProcess("echo", ["sh", "-c", "echo out; echo err >&2; exit 3"], tmp_path / "logs" / "echo.log")

    assert child.wait(TIMEOUT)
    assert child.exit_code == 3
    assert child.kill() == 3
    assert child.log_tail().splitlines() == ["out", "err"]
    assert child.log.stat().st_mode & 0o077 == 0


def test_the_tail_is_of_this_run_only(tmp_path: Path) -> None:
    for word in ("first", "second"):
        child = ChildProcess("echo", ["echo", word], tmp_path / "log")
        assert child.wait(TIMEOUT)
        child.kill()

    assert child.log_tail() == "second"
    assert child.log.read_text() == "first\nsecond\n"


def test_arguments_arrive_as_they_are(tmp_path: Path) -> None:
    arguments = ["a b", "$PPID", '"; exit 9 #', "", "-n", "ü"]
    program = "import sys; print(sys.argv[1:])"

    child = ChildProcess("echo", [sys.executable, "-c", program, *arguments], tmp_path / "log")

    assert child.wait(TIMEOUT)
    assert child.kill() == 0
    assert child.log_tail() == repr(arguments)


def test_standard_output_can_be_kept_out_of_the_log(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w+b") as out:
        child = ChildProcess("echo", ["sh", "-c", "echo secret; echo err >&2"], tmp_path / "log", stdout=out)
        assert child.wait(TIMEOUT)
        child.kill()

    assert child.log_tail() == "err"
    assert (tmp_path / "out").read_text() == "secret\n"


def test_stop_asks_first(tmp_path: Path) -> None:
    script = "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    child = ChildProcess("polite", ["sh", "-c", script], tmp_path / "log")
    wait_until(lambda: "ready" in child.log_tail(), child, TIMEOUT)

    assert child.stop() == 0
    assert child.log_tail().splitlines() == ["ready", "bye"]
    assert child.stop() == 0


def test_stop_does_not_wait_for_ever(tmp_path: Path) -> None:
    child = ChildProcess("deaf", ["sh", "-c", "trap '' TERM; echo ready; sleep 60"], tmp_path / "log")
    wait_until(lambda: "ready" in child.log_tail(), child, TIMEOUT)

    assert child.stop(timeout=0.1) == -signal.SIGKILL


@pytest.mark.parametrize("method", ["stop", "kill"])
def test_what_it_started_ends_with_it(tmp_path: Path, gone: Gone, method: str) -> None:
    child = ChildProcess("parent", [sys.executable, "-c", _PARENT_OF_A_SLEEPER], tmp_path / "log")
    wait_until(lambda: child.log_tail().isdigit(), child, TIMEOUT)
    grandchild = int(child.log_tail())

    getattr(child, method)()

    assert gone(grandchild)


def test_what_it_left_behind_ends_when_it_has_ended_itself(tmp_path: Path, gone: Gone) -> None:
    child = ChildProcess("parent", [sys.executable, "-c", _PARENT_OF_A_SLEEPER], tmp_path / "log")
    wait_until(lambda: child.log_tail().isdigit(), child, TIMEOUT)
    grandchild = int(child.log_tail())
    child.signal(signal.SIGKILL)

    assert child.wait(TIMEOUT)
    assert child.exit_code == -signal.SIGKILL
    assert psutil.pid_exists(grandchild)
    child.stop()

    assert gone(grandchild)


@pytest.mark.parametrize("path", [None, "/nonexistent"], ids=["with setpriv", "without setpriv"])
def test_it_dies_with_the_process_that_started_it(
    tmp_path: Path, starter: Starter, gone: Gone, path: str | None
) -> None:
    if path is not None:
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "sleep").symlink_to("/bin/sleep")
        process = starter(_SLEEPER, tmp_path / "log", env={"PATH": str(tmp_path / "bin")})
    else:
        process = starter(_SLEEPER, tmp_path / "log")
    child = int(process.line())
    assert psutil.Process(child).status() != psutil.STATUS_ZOMBIE

    process.kill()

    assert gone(child)


def test_it_does_not_start_when_its_starter_is_gone_already(tmp_path: Path) -> None:
    """The race between fork and prctl, played with a parent that is not the one it was started for."""
    child = ChildProcess("guarded", ["true"], tmp_path / "log")
    child.wait(TIMEOUT)
    child.kill()
    command = child._popen.args
    assert isinstance(command, list)
    guard = list(map(str, command[:-1]))
    outsider = ["1" if word.isdigit() else word for word in guard]
    assert outsider != guard

    ran = subprocess.run([*outsider, "echo", "started"], capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    assert ran.stdout == ""


def test_a_thread_may_not_start_it(tmp_path: Path) -> None:
    errors: list[BaseException] = []

    def start() -> None:
        try:
            ChildProcess("sleeper", ["sleep", "60"], tmp_path / "log")
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()

    assert "main thread" in str(errors[0])


def test_an_early_end_is_reported_with_the_log(tmp_path: Path) -> None:
    child = ChildProcess("broken", ["sh", "-c", "echo no such luck; exit 7"], tmp_path / "log")

    with pytest.raises(StartupFailed, match=r"(?s)broken ended with 7 .*no such luck"):
        wait_until(lambda: False, child, 5)
    child.kill()


def test_waiting_has_an_end(tmp_path: Path) -> None:
    child = ChildProcess("slow", ["sleep", "60"], tmp_path / "log")

    with pytest.raises(StartupFailed, match=r"slow was not ready after 0\.1 s"):
        wait_until(lambda: False, child, 0.1)
    child.kill()

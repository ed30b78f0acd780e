"""Processes of a Python program, forked from one that has imported it."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from devstack.forked_process import ForkServer, ForkServerLost
from tests.conftest import Gone
from tests.waiting import TIMEOUT, wait_for

_PROGRAM = """
import os, subprocess, sys, time
import imported

if __name__ == "__main__":
    print(os.environ["WORD"], *sys.argv[1:], imported.pid != os.getpid(), flush=True)
    if sys.argv[1] == "stay":
        print(subprocess.Popen(["sleep", "600"]).pid, flush=True)
        time.sleep(600)
    sys.exit(int(sys.argv[1]))
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ForkServer]:
    (tmp_path / "imported.py").write_text("import os\npid = os.getpid()\n")
    (tmp_path / "program.py").write_text(_PROGRAM)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with ForkServer(tmp_path / "server.log", ["imported"], environment) as server:
        yield server


def test_it_has_its_own_arguments_environment_and_log(server: ForkServer, tmp_path: Path) -> None:
    log = tmp_path / "logs" / "log"
    for code in (0, 3):
        process = server.start("program", "program", [str(code), "more"], log, {"WORD": "selam"})
        assert process.wait(TIMEOUT)
        assert (process.exit_code, process.kill(), process.exit_code) == (code, code, code)
        assert process.log_tail() == f"selam {code} more True"
    assert log.read_text() == "selam 0 more True\nselam 3 more True\n"


def test_what_it_prints_is_returned(server: ForkServer) -> None:
    done = server.run("program", "program", ["3"], {"WORD": "selam"}, timeout=TIMEOUT)
    assert (done.returncode, done.stdout, done.stderr) == (3, "selam 3 True\n", "")
    wrong = server.run("program", "program", ["three"], {"WORD": "selam"}, timeout=TIMEOUT)
    assert wrong.returncode == 1
    assert wrong.stderr.splitlines()[-1].startswith("ValueError")


def test_it_can_be_told_from_the_others_and_ends_with_its_group(server: ForkServer, tmp_path: Path, gone: Gone) -> None:
    process = server.start("staying", "program", ["stay"], tmp_path / "log", os.environ | {"WORD": "selam"})
    (_, child) = wait_for(lambda: lines if len(lines := process.log_tail().splitlines()) == 2 else None)
    assert (psutil.Process(process.pid).name(), process.exit_code) == ("staying", None)
    assert process.kill() == -signal.SIGKILL
    assert gone(int(child))


def test_it_ends_with_the_server_and_that_is_said(server: ForkServer, tmp_path: Path, gone: Gone) -> None:
    process = server.start("staying", "program", ["stay"], tmp_path / "log", os.environ | {"WORD": "selam"})
    server.process.kill()
    assert gone(process.pid)
    assert (process.exit_code, process.kill()) == (-signal.SIGKILL, -signal.SIGKILL)
    with pytest.raises(ForkServerLost, match="The fork server has ended"):
        server.start("late", "program", ["0"], tmp_path / "log", {})

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.waiting import TIMEOUT
from worker.media.processes.confined_process import confine, end, start


def test_a_program_whose_parent_died_before_it_began_never_runs(tmp_path: Path) -> None:
    """Before setpriv has spoken to the kernel nothing ties the two: here the child waits there until we are gone."""
    orphaned = 'while test "$(cut -d " " -f 4 /proc/$$/stat)" = "$0"; do sleep 0.05; done; exec "$@"'
    code = (
        "import os, subprocess, sys; from worker.media.processes.confined_process import _guard; "
        f"late = ['/bin/sh', '-c', {orphaned!r}, str(os.getpid())]; "
        "subprocess.Popen([*late, *_guard(), *sys.argv[1:]], start_new_session=True)"
    )
    subprocess.run(
        [sys.executable, "-c", code, "/bin/sh", "-c", f"echo began > {tmp_path}/began"],
        # Read until the last one that could still write has ended.
        capture_output=True,
        timeout=TIMEOUT,
        check=True,
    )
    assert not (tmp_path / "began").exists()


def test_a_limit_is_never_raised() -> None:
    with tempfile.TemporaryFile() as stderr:
        process = start(["/bin/sleep", "60"], stderr, False)
        try:
            for most in (2**31, 2**32):
                confine(process.pid, {resource.RLIMIT_FSIZE: most, resource.RLIMIT_CORE: None})
            assert resource.prlimit(process.pid, resource.RLIMIT_FSIZE) == (2**31, 2**31)
            assert os.sched_getscheduler(process.pid) == os.SCHED_BATCH
        finally:
            end(process)
    assert process.returncode is not None

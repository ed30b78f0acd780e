"""Small programs stand in for ffmpeg where ffmpeg itself cannot be made to misbehave."""

import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.waiting import TIMEOUT, wait_for
from worker.errors import OutOfSpace
from worker.media.errors import FfmpegFailed, FfmpegTimeout, MediaRejected, Stopped
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import Budget
from worker.media.processes.runner import run_ffmpeg, run_ffprobe

ENDLESS = ["-re", "-f", "lavfi", "-i", "testsrc2=s=64x64", "-f", "null", "-"]
Program = Callable[[str], Binaries]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """A shell script as both binaries; it may write its process id to the file `pid`."""

    def write(body: str) -> Binaries:
        path = tmp_path / "program"
        path.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid.new && mv {tmp_path}/pid.new {tmp_path}/pid\n{body}\n")
        path.chmod(0o755)
        return Binaries(path, path)

    return write


def lines_of(binaries: Binaries, budget: Budget = Budget(TIMEOUT)) -> list[str]:  # frozen
    lines: list[str] = []
    run_ffprobe(binaries, [], budget=budget, on_lines=lines.extend)
    return lines


def is_gone(pid_file: Path) -> bool:
    return not psutil.pid_exists(int(pid_file.read_text()))


def test_progress_grows_to_the_end(binaries: Binaries, tmp_path: Path) -> None:
    seconds_written: list[float] = []
    arguments = ["-f", "lavfi", "-i", "testsrc2=s=64x64:d=3", "-f", "mjpeg", str(tmp_path / "out")]

    run_ffmpeg(binaries, arguments, budget=Budget(TIMEOUT), on_progress=seconds_written.append)

    assert seconds_written == sorted(seconds_written)
    assert seconds_written[-1] == pytest.approx(3, abs=0.1)


def test_work_without_progress_is_the_fault_of_the_input(program: Program, tmp_path: Path) -> None:
    budget = Budget(TIMEOUT, stall_seconds=60, idle_cpu_seconds=0.2)
    with pytest.raises(MediaRejected) as caught:
        lines_of(program("while :; do :; done"), budget)
    assert caught.value.reason == "too-complex"
    assert is_gone(tmp_path / "pid")


def test_work_with_progress_may_take_longer(program: Program) -> None:
    work = "i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done"
    lines = lines_of(
        program("for step in 1 2 3 4; do " + work + "; echo $step; done"), Budget(TIMEOUT, idle_cpu_seconds=5)
    )
    assert lines[:4] == ["1", "2", "3", "4"]


def test_equal_failures_say_the_same(program: Program) -> None:
    """Addresses differ from run to run, and are no business of the person who reads this."""
    problems = set()
    for address in ("0x55ba5f0780c0", "0x7f0000000010"):
        with pytest.raises(FfmpegFailed) as caught:
            lines_of(program(f"echo '[out#0/webm @ {address}] Could not write {address} to /srv/x/f.webm' >&2; exit 3"))
        problems.add(str(caught.value.problem()))
    assert len(problems) == 1
    problem = caught.value.problem()
    assert problem["program_error"] == "ffprobe ended with status 3: Could not write 0x… to f.webm"
    assert "0x" not in problem["detail"]


def test_a_run_that_takes_too_long_is_ended(binaries: Binaries) -> None:
    with pytest.raises(FfmpegTimeout, match="more than 1 seconds"):
        run_ffmpeg(binaries, ENDLESS, budget=Budget(1))


def test_a_run_that_stands_still_is_ended(binaries: Binaries, tmp_path: Path) -> None:
    """Nobody ever writes into this pipe."""
    os.mkfifo(tmp_path / "pipe")
    arguments = ["-f", "matroska", "-i", str(tmp_path / "pipe"), "-f", "null", "-"]
    with pytest.raises(FfmpegTimeout, match="stood still"):
        run_ffmpeg(binaries, arguments, budget=Budget(TIMEOUT, stall_seconds=0.5))


def test_the_caller_can_stop_a_run(binaries: Binaries) -> None:
    questions = itertools.count()
    with pytest.raises(Stopped):
        run_ffmpeg(binaries, ENDLESS, budget=Budget(TIMEOUT), should_stop=lambda: next(questions) >= 3)
    # It stopped at the first yes.
    assert next(questions) == 4


def test_a_program_deaf_to_sigterm_is_killed(program: Program, tmp_path: Path) -> None:
    deaf = program("trap '' TERM\nwhile :; do sleep 0.1; done")
    with pytest.raises(FfmpegTimeout):
        lines_of(deaf, Budget(0.5))
    assert is_gone(tmp_path / "pid")


def test_an_exception_from_outside_leaves_nothing_running(program: Program, tmp_path: Path) -> None:
    """As when Celery's soft time limit strikes in the middle of a run."""

    class SoftLimit(Exception):
        pass

    def strike(_lines: list[str]) -> None:
        raise SoftLimit

    with pytest.raises(SoftLimit):
        run_ffprobe(program("echo one; exec sleep 600"), [], budget=Budget(TIMEOUT), on_lines=strike)
    assert is_gone(tmp_path / "pid")


def test_a_killed_parent_takes_the_program_with_it(program: Program, tmp_path: Path) -> None:
    path = program("exec sleep 600").ffmpeg
    code = (
        "from pathlib import Path; from worker.media.processes.binaries import Binaries; "
        "from worker.media.processes.runner import Budget, run_ffmpeg; "
        f"run_ffmpeg(Binaries(Path({str(path)!r}), Path()), [], budget=Budget(600))"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    try:
        wait_for((tmp_path / "pid").exists)
        child = psutil.Process(int((tmp_path / "pid").read_text()))
    finally:
        parent.kill()
        parent.wait()
    psutil.wait_procs([child], timeout=TIMEOUT)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_our_environment_stays_with_us(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKBLAZE_APPLICATION_KEY", "K005-very-secret")
    environment = "\n".join(lines_of(program("env")))
    assert "PATH=" in environment
    assert "secret" not in environment


def test_the_program_is_confined(program: Program) -> None:
    look = "sleep 0.3; ulimit -v; ulimit -c; nice; cut -d' ' -f41 /proc/self/stat"
    memory, core, niceness, policy = lines_of(program(look), Budget(TIMEOUT, memory_bytes=2**31))
    assert (int(memory) <= 2**31 // 1024, core, int(niceness) >= 10) == (True, "0", True)
    assert int(policy) == os.SCHED_BATCH


def test_a_file_that_grows_too_large_ends_the_run(binaries: Binaries, tmp_path: Path) -> None:
    arguments = ["-f", "lavfi", "-i", "testsrc2=s=640x360:d=60", "-f", "rawvideo", str(tmp_path / "out")]
    with pytest.raises(FfmpegFailed):
        run_ffmpeg(binaries, arguments, budget=Budget(TIMEOUT, file_bytes=1_000_000))
    assert (tmp_path / "out").stat().st_size <= 1_000_000


def test_a_failure_keeps_the_last_words_and_hides_folders(binaries: Binaries, tmp_path: Path) -> None:
    with pytest.raises(FfmpegFailed) as caught:
        run_ffmpeg(binaries, ["-i", str(tmp_path / "lesson.webm"), "-f", "null", "-"], budget=Budget(TIMEOUT))
    assert caught.value.returncode > 0
    assert "No such file" in caught.value.stderr
    assert str(tmp_path) not in str(caught.value.problem())


def test_endless_complaints_stop_nothing_and_are_cut(program: Program) -> None:
    """Seven megabytes: a pipe that nobody reads would hold 64 KB and then stop the program for ever."""
    noisy = program("yes 'something is wrong here' | head -c 7200000 >&2; echo 'the last line' >&2; exit 3")
    with pytest.raises(FfmpegFailed) as caught:
        lines_of(noisy)
    assert caught.value.members["program_error"] == "ffprobe ended with status 3: the last line"
    assert len(caught.value.stderr) <= 4096


def test_endless_complaints_do_not_fill_the_disk(program: Program, tmp_path: Path) -> None:
    sizes: list[int] = []

    def measure(_lines: list[str]) -> None:
        sizes.append(Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}/fd/2").stat().st_size)

    noisy = program("yes 'something is wrong here' | head -c 7200000 >&2; sleep 0.6; echo done; sleep 0.2")
    run_ffprobe(noisy, [], budget=Budget(TIMEOUT), on_lines=measure)
    assert max(sizes) < 1024 * 1024


def test_endless_output_without_a_line_takes_no_memory(program: Program) -> None:
    (line,) = lines_of(program("head -c 20000000 /dev/zero | tr '\\0' x"))
    assert len(line) <= 2 * 1024 * 1024


def test_a_full_disk_is_said_so(binaries: Binaries) -> None:
    arguments = ["-f", "lavfi", "-i", "testsrc2=s=640x360:d=1", "-f", "rawvideo", "/dev/full"]
    with pytest.raises(OutOfSpace):
        run_ffmpeg(binaries, arguments, budget=Budget(TIMEOUT))


def test_runs_leave_no_thread_and_no_open_file(binaries: Binaries) -> None:
    arguments = ["-f", "lavfi", "-i", "testsrc2=s=64x64:d=0.1", "-f", "null", "-"]
    run_ffmpeg(binaries, arguments, budget=Budget(TIMEOUT))
    threads, files = set(threading.enumerate()), len(os.listdir("/proc/self/fd"))  # noqa: PTH208  # names are enough
    for _ in range(5):
        run_ffmpeg(binaries, arguments, budget=Budget(TIMEOUT))
    # Threads of earlier tests may have ended meanwhile.
    assert set(threading.enumerate()) <= threads
    assert len(os.listdir("/proc/self/fd")) <= files  # noqa: PTH208

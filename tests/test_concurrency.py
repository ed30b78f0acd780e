"""Concurrent steps: how one failure affects the others, and that none outlives the block."""

import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil
import pytest
import structlog

from tests.waiting import TIMEOUT, wait_for
from worker.concurrency import together
from worker.media.processes.binaries import Binaries, find_binaries
from worker.media.processes.budget import Budget
from worker.media.processes.runner import run_ffmpeg
from worker.settings import Settings


class Bad(Exception):
    pass


class FromOutside(BaseException):
    """As Celery's soft time limit comes: in the main thread, out of nowhere."""


def never() -> bool:
    return False


def until_stopped(should_stop: Callable[[], bool]) -> str:
    wait_for(should_stop)
    return "stopped"


def test_every_step_gives_its_result() -> None:
    both = threading.Barrier(2, timeout=TIMEOUT)  # each waits for the other: one after the other they would never end
    with together(never) as steps:
        first = steps.begin(lambda _stop: (both.wait(), "first")[1])
        second = steps.begin(lambda _stop: (both.wait(), 2)[1])
    assert (first.result(), second.result()) == ("first", 2)


def test_the_first_failure_stops_the_others_and_is_the_one_told() -> None:
    ended: list[str] = []

    def stopped_by_the_other(should_stop: Callable[[], bool]) -> None:
        ended.append(until_stopped(should_stop))
        raise RuntimeError("because it was stopped")

    def fail(_should_stop: Callable[[], bool]) -> None:
        raise Bad

    with pytest.raises(Bad), together(never) as steps:
        steps.begin(stopped_by_the_other)
        steps.begin(fail)
    assert ended == ["stopped"]


def test_a_cancellation_reaches_each_step() -> None:
    cancelled = threading.Event()
    with together(cancelled.is_set) as steps:
        steps_begun = [steps.begin(until_stopped) for _ in range(3)]
        cancelled.set()
    assert [each.result() for each in steps_begun] == ["stopped"] * 3


def test_a_failure_in_the_block_itself_stops_the_steps() -> None:
    ended: list[str] = []
    with pytest.raises(Bad), together(never) as steps:
        steps.begin(lambda stop: ended.append(until_stopped(stop)))
        raise Bad
    assert ended == ["stopped"]


def test_an_exception_from_outside_leaves_no_program_and_no_thread() -> None:
    binaries: Binaries = find_binaries(Settings())
    endless = ["-re", "-f", "lavfi", "-i", "testsrc2=s=64x64", "-f", "null", "-"]
    threads = set(threading.enumerate())

    def strike(_number: int, _frame: object) -> None:
        raise FromOutside

    before = signal.signal(signal.SIGALRM, strike)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.7)
        with pytest.raises(FromOutside), together(never) as steps:
            for _ in range(2):
                steps.begin(lambda stop: run_ffmpeg(binaries, endless, budget=Budget(TIMEOUT), should_stop=stop))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    # Those of earlier tests may have ended meanwhile.
    assert set(threading.enumerate()) <= threads
    assert [child for child in psutil.Process().children() if "ffmpeg" in child.name()] == []


def test_the_programs_of_two_steps_run_to_their_ends(tmp_path: Path) -> None:
    """It dies with the thread that started it, so one that is waited for there runs to its end."""
    binaries = find_binaries(Settings())
    written = ["-f", "lavfi", "-i", "testsrc2=s=64x64:d=1", "-f", "mjpeg"]

    def write(file: Path, stop: Callable[[], bool]) -> None:
        run_ffmpeg(binaries, [*written, str(file)], budget=Budget(TIMEOUT), should_stop=stop)

    with together(never) as steps:
        for name in ("a", "b"):
            steps.begin(partial(write, tmp_path / name))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != b""


def test_the_log_lines_of_a_step_have_the_ids_of_its_job() -> None:
    def bound(_stop: Callable[[], bool]) -> object:
        return structlog.contextvars.get_contextvars()

    with structlog.contextvars.bound_contextvars(job_id="7", request_id="r"), together(never) as steps:
        step = steps.begin(bound)
    assert step.result() == {"job_id": "7", "request_id": "r"}

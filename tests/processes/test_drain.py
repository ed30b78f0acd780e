"""A drained worker finishes its jobs and takes no new ones, even after an outage of its broker."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.valkey import EmbeddedValkey
from tests.conftest import MakeSettings
from tests.forking.forked_process import ForkServer
from tests.jobs.live.worker_stack import WorkerStack
from tests.waiting import TIMEOUT, wait_for
from worker.cli.local_stack.environment import environment_for
from worker.errors import Conflict, NotFound, Unavailable
from worker.jobs.heartbeats import read_process_metrics
from worker.processes.drain import LiveWorker, find_workers, stop_consuming, wait_until_idle

HOST = socket.gethostname()


@pytest.fixture
def stack(
    settings: MakeSettings, database_url: str, redis_url: str, tmp_path: Path, fork_server: ForkServer
) -> Iterator[WorkerStack]:
    stack = WorkerStack(settings(heartbeat_interval=1.0), tmp_path, fork_server)
    yield stack
    stack.close()


def wait_idle(stack: WorkerStack, workers: list[LiveWorker], seconds: float) -> list[int]:
    left: list[int] = []
    wait_until_idle(stack.app, stack.database, workers, seconds=seconds, report=left.append)
    return left


def living(stack: WorkerStack) -> int:
    with stack.database.statement() as statement:
        metrics = read_process_metrics(statement, interval=stack.settings.heartbeat_interval)
    return metrics.consumers.get("default", 0)


def test_it_ends_what_it_runs_and_another_takes_the_rest(stack: WorkerStack) -> None:
    stack.start_worker("first")
    stack.hold(on=True)
    running = stack.order("hold")
    stack.wait_for_start("hold")
    workers = find_workers(stack.app, [f"first@{HOST}"], host=HOST)
    stop_consuming(stack.app, workers)
    waiting = stack.order("succeed")

    with pytest.raises(Unavailable, match="No new ones are taken"):
        wait_idle(stack, workers, 0)
    stack.hold(on=False)
    wait_idle(stack, workers, TIMEOUT)
    assert stack.job(running).state == "succeeded"
    assert stack.starts("succeed") == []
    # Its heartbeat says so: the queue has no consumer any more.
    wait_for(lambda: living(stack) == 0, details=stack.log)
    # Twice is the same.
    stop_consuming(stack.app, workers)
    assert wait_idle(stack, workers, TIMEOUT) == []

    stack.start_worker("second")
    assert stack.wait_for(waiting, "succeeded").worker.startswith(HOST)
    assert [worker.name for worker in find_workers(stack.app, (), host=HOST)] == [f"first@{HOST}", f"second@{HOST}"]


def test_it_waits_on_while_the_broker_is_away(
    settings: MakeSettings, database_url: str, tmp_path: Path, fork_server: ForkServer
) -> None:
    with EmbeddedValkey(tmp_path / "valkey") as valkey:
        stack = WorkerStack(settings(redis_url=valkey.url()), tmp_path, fork_server)
        try:
            stack.start_worker("first")
            stack.hold(on=True)
            stack.order("hold")
            stack.wait_for_start("hold")
            workers = find_workers(stack.app, (), host=HOST)
            stop_consuming(stack.app, workers)
            process, reports = valkey.process, []
            assert process is not None

            def report(left: int) -> None:
                reports.append(left)
                if len(reports) == 1:
                    # It takes connections and answers nothing.
                    process.signal(signal.SIGSTOP)
                elif len(reports) == 2:
                    process.signal(signal.SIGCONT)
                    stack.hold(on=False)

            wait_until_idle(stack.app, stack.database, workers, seconds=TIMEOUT, report=report)
            assert len(reports) >= 2
        finally:
            stack.close()


def test_no_worker_answers(stack: WorkerStack) -> None:
    with pytest.raises(NotFound, match=r"Workers that do: none\."):
        find_workers(stack.app, (), host=HOST)


def test_two_workers_of_one_name_are_told(stack: WorkerStack) -> None:
    stack.start_worker("first")
    stack.start_worker("first")
    wait_for(lambda: len(stack.app.control.broadcast("ping", reply=True, timeout=1)) > 1, details=stack.log)
    with pytest.raises(Conflict, match=f"Two workers are called first@{HOST}"):
        find_workers(stack.app, (), host=HOST)


def test_the_command(stack: WorkerStack, fork_server: ForkServer) -> None:
    stack.start_worker("first")
    environment = environment_for(stack.settings)
    output = fork_server.astegni(["drain", "--timeout", "5m"], environment)

    assert (output.returncode, output.stdout.splitlines()) == (
        0,
        [f"No new jobs for first@{HOST}.", "They hold no jobs any more."],
    )
    nobody = fork_server.astegni(["drain", f"nobody@{HOST}"], environment)
    assert nobody.returncode == 1
    assert f"No worker nobody@{HOST} answers. Workers that do: first@{HOST}." in nobody.stderr
    away = fork_server.astegni(["drain"], environment | {"REDIS_URL": "redis://127.0.0.1:1/0"})
    assert (away.returncode, away.stderr.count("\n"), "REDIS_URL" in away.stderr) == (69, 1, True)

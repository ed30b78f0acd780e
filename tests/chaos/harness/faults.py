"""The faults, each a method; one that lasts schedules its own end."""

import contextlib
import os
import random
import signal
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg

from devstack.process import ChildProcess
from tests.chaos.harness.environment import Environment
from tests.chaos.harness.plan import Fault
from tests.chaos.harness.workers import alive, children, continue_process

Later = Callable[[float, Callable[[], object]], None]
NOT_NOW = "not now"
# How often a fault looks for a process that has a job in hand, instead of any.
_AIMED = 0.8
# A rolling restart asks one worker to go every so many seconds.
_NEXT = 20.0


class FaultInjector:
    """Does faults to an environment, in the main thread. `later` runs something after so many seconds."""

    def __init__(self, environment: Environment, dice: random.Random, later: Later, quick: float) -> None:
        self.survivors: list[int] = []
        self._environment = environment
        self._dice = dice
        self._later = later
        self._quick = quick
        # What is being done to a part right now: a second fault of the same part waits for another time.
        self._busy: set[str] = set()

    def do(self, fault: Fault) -> str:
        """Let it happen; return what came of it, in a few words."""
        return str(getattr(self, fault.name)(fault.seconds))

    def kill_child(self, _seconds: float) -> str:
        worker, _pool, child = self._target()
        if child is None:
            return "nobody there"
        self._note("kill_child", pids=[child], main=worker.pid)
        _signal(child, signal.SIGKILL)
        return f"{worker.name} {child}"

    def kill_main(self, _seconds: float) -> str:
        worker, pool, _child = self._target()
        self._note("kill_main", pids=pool, main=worker.pid)
        # The process alone, not its group: whether its children go with it is what is asked.
        worker.signal(signal.SIGKILL)
        self._later(2.0, lambda: self.survivors.extend(pid for pid in pool if alive(pid)))
        return worker.name

    def stop_child(self, seconds: float) -> str:
        worker, _pool, child = self._target()
        if child is None:
            return "nobody there"
        self._note("stop_child", pids=[child], main=worker.pid, seconds=seconds)
        _signal(child, signal.SIGSTOP)
        self._later(seconds, lambda: continue_process(child))
        return f"{worker.name} {child} for {seconds:.1f} s"

    def stop_main(self, seconds: float) -> str:
        worker, _pool, _child = self._target()
        self._note("stop_main", main=worker.pid, seconds=seconds)
        worker.signal(signal.SIGSTOP)
        self._later(seconds, lambda: worker.signal(signal.SIGCONT))
        return f"{worker.name} for {seconds:.1f} s"

    def rolling_restart(self, _seconds: float) -> str:
        if "workers" in self._busy:
            return NOT_NOW
        self._busy.add("workers")
        workers = list(self._environment.workers.running)
        for number, worker in enumerate(workers):
            self._later(number * _NEXT / self._quick, partial(self._ask_to_go, worker))
        self._later(len(workers) * _NEXT / self._quick, lambda: self._busy.discard("workers"))
        return f"{len(workers)} workers"

    def _ask_to_go(self, worker: ChildProcess) -> None:
        if worker in self._environment.workers.running:
            self._note("terminate", main=worker.pid)
            worker.signal(signal.SIGTERM)

    def flush_broker(self, _seconds: float) -> str:
        if "broker" in self._busy:
            return NOT_NOW
        self._note("flush_broker")
        self._environment.servers.broker.flush()
        return "done"

    def freeze_broker(self, seconds: float) -> str:
        return self._for_a_while(
            "broker",
            "freeze_broker",
            seconds,
            self._environment.servers.broker.freeze,
            self._environment.servers.broker.thaw,
        )

    def restart_broker(self, seconds: float) -> str:
        return self._for_a_while(
            "broker",
            "restart_broker",
            seconds,
            self._environment.servers.broker.stop,
            self._environment.servers.start_broker,
        )

    def reset_broker(self, _seconds: float) -> str:
        self._note("reset_broker")
        return f"{self._environment.servers.broker_line.reset()} connections"

    def echo_messages(self, _seconds: float) -> str:
        """Messages that come twice and late: of jobs that run, that wait, and that are over."""
        if self._busy & {"broker", "database"}:
            return NOT_NOW
        with psycopg.connect(self._environment.servers.postgres.url(self._environment.database_name)) as link:
            rows = link.execute(
                "SELECT id::text, kind, queue FROM jobs ORDER BY finished_at IS NULL DESC, random() LIMIT 10"
            ).fetchall()
        self._note("echo_messages", jobs=[row[0] for row in rows])
        for job, kind, queue in rows:
            self._environment.app.send_task(kind, args=(job,), queue=queue)
        return f"{len(rows)} messages"

    def slow_lines(self, seconds: float) -> str:
        lines = (
            self._environment.servers.broker_line,
            self._environment.servers.database_line,
            self._environment.servers.storage_line,
        )

        def delay(by: float) -> None:
            for line in lines:
                line.delay = by

        return self._for_a_while("lines", "slow_lines", seconds, lambda: delay(0.02), lambda: delay(0.0))

    def restart_database(self, seconds: float) -> str:
        return self._for_a_while(
            "database",
            "restart_database",
            seconds,
            self._environment.servers.stop_database,
            self._environment.servers.start_database,
        )

    def crash_database(self, seconds: float) -> str:
        return self._for_a_while(
            "database",
            "crash_database",
            seconds,
            lambda: self._environment.servers.stop_database(crash=True),
            self._environment.servers.start_database,
        )

    def terminate_backends(self, _seconds: float) -> str:
        if "database" in self._busy:
            return NOT_NOW
        self._note("terminate_backends")
        return f"{self._environment.servers.terminate_backends()} connections"

    def hog(self, seconds: float) -> str:
        if self._busy & {"database", "hog"}:
            return NOT_NOW
        hog = psycopg.connect(self._environment.servers.postgres.url(self._environment.database_name))
        held = hog.execute(
            "SELECT id FROM jobs WHERE finished_at IS NULL ORDER BY (state = 'running') DESC, random()"
            " LIMIT 3 FOR UPDATE SKIP LOCKED"
        ).fetchall()
        self._note("hog", jobs=[str(row[0]) for row in held], seconds=seconds)
        self._busy.add("hog")

        def let_go() -> None:
            self._busy.discard("hog")
            with contextlib.suppress(psycopg.Error):
                hog.close()

        self._later(seconds, let_go)
        return f"{len(held)} jobs for {seconds:.1f} s"

    def trouble_storage(self, seconds: float) -> str:
        mode = self._dice.choice(["fail_some_uploads", "expire_some_account_authorization_tokens"])
        servers = self._environment.servers
        return self._for_a_while(
            "storage",
            f"storage {mode}",
            seconds,
            lambda: servers.trouble_storage(mode),
            lambda: servers.trouble_storage(None),
        )

    def restart_storage(self, _seconds: float) -> str:
        self._note("restart_storage")
        self._environment.servers.restart_storage()
        return "done"

    def reset_storage(self, _seconds: float) -> str:
        self._note("reset_storage")
        return f"{self._environment.servers.storage_line.reset()} connections"

    def _for_a_while(
        self, part: str, name: str, seconds: float, begin: Callable[[], None], end: Callable[[], None]
    ) -> str:
        if part in self._busy:
            return NOT_NOW
        self._busy.add(part)
        self._note(name, seconds=seconds)
        begin()

        def calm() -> None:
            end()
            self._busy.discard(part)
            self._environment.event_log.write("calm", fault=name)

        self._later(seconds, calm)
        return f"for {seconds:.1f} s"

    def _target(self) -> tuple[ChildProcess, list[int], int | None]:
        """A worker, its children, and one of them; mostly one that has a job in hand."""
        workers = {worker.pid: worker for worker in self._environment.workers.running}
        busy = self._busy_children() if self._dice.random() < _AIMED else []
        for main, child in self._dice.sample(busy, len(busy)):
            if main in workers and child in (pool := children(main)):
                return workers[main], pool, child
        worker = self._dice.choice(self._environment.workers.running)
        pool = children(worker.pid)
        return worker, pool, self._dice.choice(pool) if pool else None

    def _busy_children(self) -> list[tuple[int, int]]:
        """(main, child) of those that run a job as far as the database and the event log know."""
        try:
            with psycopg.connect(
                self._environment.servers.postgres.url(self._environment.database_name), connect_timeout=2
            ) as link:
                running = {str(row[0]) for row in link.execute("SELECT id FROM jobs WHERE state = 'running'")}
        except psycopg.Error:
            return []
        holders = {line["job"]: (line["main"], line["pid"]) for line in self._environment.event_log.read("received")}
        return [holders[job] for job in running if job in holders]

    def _note(self, name: str, **facts: Any) -> None:
        self._environment.event_log.write("fault", fault=name, **facts)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
